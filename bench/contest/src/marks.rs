//! When each event was committed and when its handler started, as found by the processes that saw it.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};

use crate::clock::Monotonic;

/// A moment for each of a known number of events; zero where there was none.
#[derive(Debug)]
pub struct Marks(Vec<AtomicU64>);

impl Marks {
    /// Nothing has happened yet to so many events.
    pub fn of(events: u64) -> Self {
        Self((0..events).map(|_| AtomicU64::new(0)).collect())
    }

    /// It happens now to this event; the first time counts.
    pub fn set(&self, n: u64) {
        let place = usize::try_from(n).ok().and_then(|n| self.0.get(n));
        if let Some(mark) = place {
            let now = Monotonic::now().0;
            // A second delivery of the same event is no news.
            let _ = mark.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Writes them for the umpire.
    pub fn write(&self, path: &Path) -> Result<()> {
        let bytes: Vec<u8> =
            self.0.iter().flat_map(|mark| mark.load(Ordering::Relaxed).to_le_bytes()).collect();
        fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Reads what [`Marks::write`] wrote: the moment of each event, if it has one.
    pub fn read(path: &Path) -> Result<Vec<Option<Monotonic>>> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let (moments, rest) = bytes.as_chunks::<8>();
        ensure!(rest.is_empty(), "{} was cut off", path.display());
        let moments = moments.iter().map(|bytes| u64::from_le_bytes(*bytes));
        Ok(moments.map(|nanos| (nanos > 0).then_some(Monotonic(nanos))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_survive_the_way_to_the_umpire_and_the_first_counts() {
        let marks = Marks::of(3);
        let before = Monotonic::now();
        marks.set(1);
        let after = Monotonic::now();
        marks.set(1);
        marks.set(7);
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("marks");
        marks.write(&path).expect("written");
        let read = Marks::read(&path).expect("read");
        assert_eq!((read.len(), read[0], read[2]), (3, None, None));
        assert!(read[1].is_some_and(|moment| (before..=after).contains(&moment)));
    }
}
