//! Work on many things at once.

use std::thread;

/// So few things are not worth another thread.
const FEW: usize = 16;

/// What becomes of each, in their order.
pub(crate) fn map<T: Sync, R: Send>(all: &[T], each: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let share = all.len().div_ceil(threads).max(FEW);
    let each = &each;
    thread::scope(|scope| {
        let running: Vec<_> = all
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().map(each).collect::<Vec<R>>()))
            .collect();
        let mut done = Vec::with_capacity(all.len());
        for part in running {
            done.extend(part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    })
}

#[cfg(test)]
mod tests {
    use super::map;

    #[test]
    fn everything_is_done_in_order() {
        for count in [0, 1, 15, 16, 17, 1_000] {
            let all: Vec<usize> = (0..count).collect();
            assert_eq!(map(&all, |one| one + 1), (1..=count).collect::<Vec<_>>());
        }
    }
}
