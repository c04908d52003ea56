//! How many events the next page is expected to have.

use crate::store::FEW;

/// Events come in bursts: what is read between two times that there was nothing more. After a burst of few
/// the next one is expected to be of few as well, and read in the way that costs less to begin
/// ([`FEW`]). Whoever expects too little reads another page, as long ones from then on.
#[derive(Debug, Default)]
pub(super) struct Burst {
    /// How many events were read of the one that lasts.
    read: usize,
    /// Whether the one before had few.
    after_few: bool,
}

impl Burst {
    /// How many events to ask for, where `limit` may be read and a handler takes `batch` of them at once: a
    /// batch comes in one page, unless another consumer has read a shorter one.
    pub(super) fn expects(&self, limit: u32, batch: u32) -> u32 {
        match self.after_few && self.read == 0 && batch <= FEW {
            true => limit.min(FEW),
            false => limit,
        }
    }

    /// A page had so many events, and there was nothing more or there was. (Of consumers that share pages
    /// one may have been rung for meanwhile, and looks again: they are the same burst to all of them.)
    pub(super) fn learn(&mut self, events: usize, caught_up: bool) {
        self.read += events;
        if caught_up && self.read > 0 {
            *self = Self { read: 0, after_few: self.read < FEW as usize };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u32 = 500;

    fn after(pages: &[(usize, bool)]) -> u32 {
        let mut burst = Burst::default();
        for (events, caught_up) in pages {
            burst.learn(*events, *caught_up);
        }
        burst.expects(LIMIT, 1)
    }

    #[test]
    fn few_are_expected_after_few() {
        assert_eq!(after(&[]), LIMIT, "nothing is known");
        assert_eq!(after(&[(1, true)]), FEW);
        assert_eq!(after(&[(FEW as usize, true)]), LIMIT, "there may be more the next time");
        assert_eq!(after(&[(20, false), (20, true)]), LIMIT, "together they were not few");
        assert_eq!(after(&[(500, true), (1, true)]), FEW, "the last burst counts");
        assert_eq!(after(&[(1, true), (0, true)]), FEW, "where nothing came, nothing is learnt");
    }

    #[test]
    fn what_goes_on_is_read_in_long_pages() {
        assert_eq!(after(&[(1, true), (FEW as usize, false)]), LIMIT);
        assert_eq!(after(&[(1, true), (0, false)]), FEW, "it has not begun");
    }

    #[test]
    fn a_batch_is_read_at_once_and_a_limit_is_kept() {
        let mut burst = Burst::default();
        burst.learn(1, true);
        assert_eq!(burst.expects(LIMIT, FEW), FEW);
        assert_eq!(burst.expects(LIMIT, FEW + 1), LIMIT);
        assert_eq!(burst.expects(10, 1), 10);
    }
}
