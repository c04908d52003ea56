//! How far a reader has come: a position, and nothing else.
//!
//! SQLite has one writer at a time. It draws its positions under the write lock and holds the lock
//! until it has committed, so the order of positions is the order of commits: an event that is not
//! visible yet has a higher position than every event that is. "Everything after the last position
//! seen" skips nothing.

use serde::{Deserialize, Serialize};

use crate::event::Position;
use crate::store::Progress;

/// The progress of a reader, as stored in a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogProgress {
    /// Everything up to this position has been read.
    pub(super) after: Position,
}

impl LogProgress {
    /// A reader that has seen nothing.
    pub(super) fn beginning() -> Self {
        Self { after: 0 }
    }

    /// The progress after a read that found no more: it looked at everything up to `bound`, and
    /// the newest event is `high`. Never goes back: retention may have deleted the newest event.
    pub(super) fn looked_up_to(&self, bound: Position, high: Position) -> Self {
        Self { after: self.after.max(bound.min(high)) }
    }
}

impl Progress for LogProgress {
    fn is_same(&self, other: &Self) -> bool {
        self == other
    }

    fn at(&self, position: Position) -> Self {
        Self { after: position }
    }

    fn mark(&self) -> Position {
        self.after
    }

    fn end(&self) -> Self {
        self.clone()
    }

    fn rewound(&self, to: Position) -> Self {
        Self { after: self.after.min(to - 1) }
    }

    fn skipped(&self, to: Position, now: &Self) -> Self {
        Self { after: self.after.max(now.after.min(to - 1)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_never_goes_back_nor_beyond_the_newest_event() {
        let progress = LogProgress { after: 50 };
        assert_eq!(progress.looked_up_to(10_050, 70), LogProgress { after: 70 });
        assert_eq!(progress.looked_up_to(60, 70), LogProgress { after: 60 });
        assert_eq!(progress.looked_up_to(10_050, 0), progress);
    }

    #[test]
    fn progress_is_stored_as_a_json_object() {
        let text = serde_json::to_string(&LogProgress { after: i64::MAX }).unwrap();
        assert_eq!(text, r#"{"after":9223372036854775807}"#);
        assert_eq!(serde_json::from_str::<LogProgress>(&text).unwrap().after, i64::MAX);
    }
}
