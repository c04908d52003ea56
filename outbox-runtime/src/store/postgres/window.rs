//! Reading the log in windows between two snapshots.
//!
//! Positions are drawn before a transaction commits, so "everything after the last position seen"
//! skips transactions that commit late. A reader therefore remembers three things of the moment up
//! to which it has read everything: the snapshot `done`; a transaction id `next` such that every
//! transaction with an id above it began after `done` was taken; and `high`, the last value of the
//! position sequence, asked under its lock (see `open_window.sql`) before `next` was drawn.
//!
//! The events of the window from `done` to a later snapshot `upto` are those visible in `upto` and
//! not in `done`. A transaction that is not visible in `done` is
//!
//! * in progress in `done`: in `xip(done)`; or
//! * began between `done` and `next`: in `[xmax(done), next)` (`xmax` is the latest *completed* id
//!   plus one, so transactions above it may have drawn positions already); or
//! * above `next`: then it drew its id after `high` was read, and its positions after its id, so
//!   they lie above `high`.
//!
//! The first two are *late*: few, known by id, at any position. The third are *new*: a range scan.
//! The three are disjoint, so nothing comes twice, and each event comes in the first window that
//! sees it. A window that takes more than one read keeps its `upto`. Within a window events are
//! delivered in the order of their positions; of two transactions that serialise on a row, the
//! second draws its positions after the first has committed.
//!
//! Transaction ids mean something in one cluster only, and only as long as it forgets nothing. So
//! progress in memory is trusted by the very server that it was read from: every statement that
//! reads by it says on which server it ran, and the one that records it appends nothing on another
//! ([`Server`]). After a restart, a fail-over or a move to another cluster a shard therefore starts
//! anew from the ledger, and taking over there looks at whose ids the ledger holds (see
//! `restore.rs`).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::moves;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Position;
use crate::store::Progress;

/// Which run of which server: the moment at which its postmaster started. Two servers that started
/// in the same microsecond would have to take each other's place to be mistaken for one another.
pub(super) type Server = DateTime<Utc>;

/// The progress of a reader, as stored in a checkpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WindowProgress {
    /// Of this snapshot, everything visible has been read.
    pub(super) done: String,
    /// Every transaction with an id above this began after `done` was taken.
    pub(super) next: u64,
    /// No transaction with an id above `next` has a position up to this one.
    pub(super) high: Position,
    /// The window that is being read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) window: Option<Window>,
    /// Where it was read from the ledger, or marked; never stored.
    #[serde(skip)]
    pub(super) server: Server,
}

/// The same place in the log, wherever it was read.
impl PartialEq for WindowProgress {
    fn eq(&self, other: &Self) -> bool {
        (&self.done, self.next, self.high, &self.window)
            == (&other.done, other.next, other.high, &other.window)
    }
}

impl Eq for WindowProgress {}

/// A window that has been opened: it ends where the next progress begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(Hash))]
pub(super) struct Window {
    pub(super) upto: String,
    pub(super) next: u64,
    pub(super) high: Position,
    /// Everything of the window up to this position has been read.
    pub(super) after: Position,
}

impl WindowProgress {
    /// A reader that has seen nothing: in the snapshot `1:1:` no transaction is visible.
    pub(super) fn beginning() -> Self {
        Self::seen("1:1:".to_owned(), 0, 0)
    }

    /// A reader that has seen what is visible in a snapshot.
    pub(super) fn seen(done: String, next: u64, high: Position) -> Self {
        Self { done, next, high, window: None, server: Server::default() }
    }

    /// The same, on this server.
    pub(super) fn on(mut self, server: Server) -> Self {
        self.server = server;
        self
    }

    /// Refuses what was read on another server than the progress belongs to.
    pub(super) fn check_server(&self, server: Server) -> Result<()> {
        if self.server == server {
            return Ok(());
        }
        Err(another_server())
    }

    /// The transactions that may still come at any position.
    pub(super) fn late(&self) -> Vec<String> {
        late(&self.done, self.next).iter().map(u64::to_string).collect()
    }

    /// The last position at which a late transaction is looked for. Where the reader was moved back
    /// (see moves.rs) everything above `high` is new, whatever its transaction.
    pub(super) fn late_upto(&self, bound: Position) -> Position {
        if self.next == 0 { bound.min(self.high) } else { bound }
    }

    /// Within an open window: up to where late transactions have been read, and those that are not
    /// visible in it either, and so are late for what comes after it.
    pub(super) fn late_in_window(&self) -> (Position, Vec<String>) {
        self.window.as_ref().map_or((0, Vec::new()), |window| {
            let after = Self::seen(window.upto.clone(), window.next, window.high);
            (window.after, after.late())
        })
    }

    /// Where the range of new events begins.
    pub(super) fn new_after(&self) -> Position {
        self.window.as_ref().map_or(self.high, |window| window.after.max(self.high))
    }

    /// The progress after reading a page of the open window: all its events up to `bound`, or,
    /// where the page was full, up to its last one.
    pub(super) fn advanced(mut self, last_of_full_page: Option<Position>, bound: Position) -> Self {
        let Some(window) = &mut self.window else { return self };
        match last_of_full_page {
            Some(last) => window.after = last,
            None if bound < window.high => window.after = bound,
            None => {
                let Window { upto, next, high, .. } = window.clone();
                return Self::seen(upto, next, high).on(self.server);
            }
        }
        self
    }
}

/// What a shard is told whose progress belongs to another server: it starts anew from the ledger.
pub(super) fn another_server() -> Error {
    Error::new(
        ErrorKind::LeaseLost,
        "trust progress",
        "the database server was restarted or replaced; going on from the last checkpoint",
    )
}

/// The transactions that are not visible in a snapshot and have an id below `next`.
pub(super) fn late(snapshot: &str, next: u64) -> Vec<u64> {
    let mut parts = snapshot.splitn(3, ':').skip(1);
    let xmax: u64 = parts.next().and_then(|xmax| xmax.parse().ok()).unwrap_or(0);
    let xip = parts.next().unwrap_or("");
    // At the beginning nothing has an id yet, and `xmax` is above `next`.
    xip.split(',').filter_map(|id| id.parse().ok()).chain(xmax..next).collect()
}

impl Progress for WindowProgress {
    fn is_same(&self, other: &Self) -> bool {
        self == other && self.server == other.server
    }

    fn joins(&self, end: &Self, other: &Self, other_end: &Self) -> bool {
        moves::joins((self, end), (other, other_end))
    }

    fn at(&self, position: Position) -> Self {
        let mut progress = self.clone();
        if let Some(window) = &mut progress.window {
            window.after = position;
        }
        progress
    }

    fn mark(&self) -> Position {
        self.new_after()
    }

    fn end(&self) -> Self {
        match &self.window {
            Some(Window { upto, next, high, .. }) => {
                Self::seen(upto.clone(), *next, *high).on(self.server)
            }
            None => self.clone(),
        }
    }

    fn rewound(&self, to: Position) -> Self {
        moves::rewound(self, to)
    }

    fn skipped(&self, to: Position, now: &Self) -> Self {
        moves::skipped(self, to, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(done: &str, next: u64, high: Position) -> WindowProgress {
        WindowProgress::seen(done.to_owned(), next, high)
    }

    #[test]
    fn late_transactions_are_those_in_progress_and_those_between_xmax_and_next() {
        assert_eq!(progress("10:14:10,12", 17, 5).late(), ["10", "12", "14", "15", "16"]);
        assert_eq!(progress("14:14:", 14, 5).late(), Vec::<String>::new());
        assert_eq!(WindowProgress::beginning().late(), Vec::<String>::new());
    }

    #[test]
    fn what_was_read_on_another_server_is_not_the_same() {
        let here = progress("10:10:", 10, 5);
        let restarted = here.clone().on(Server::default() + chrono::TimeDelta::seconds(1));
        assert_eq!(here, restarted);
        assert!(here.is_same(&here.clone()) && !here.is_same(&restarted));
    }

    #[test]
    fn a_window_closes_only_when_everything_up_to_its_high_was_read() {
        let mut open = progress("10:10:", 10, 5);
        open.window = Some(Window { upto: "20:20:".to_owned(), next: 21, high: 100, after: 0 });
        assert_eq!(open.new_after(), 5);
        let full = open.clone().advanced(Some(50), 90);
        assert_eq!(full.window.as_ref().map(|window| window.after), Some(50));
        let part = open.clone().advanced(None, 90);
        assert_eq!(part.window.as_ref().map(|window| window.after), Some(90));
        assert_eq!(open.advanced(None, 100), progress("20:20:", 21, 100));
    }
}
