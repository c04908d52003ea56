//! `delivery = tx`: many events in the transaction that records them.
//!
//! First all of them plainly. If one fails, everything is rolled back and repeated with a savepoint
//! for each event: what fails gets a row, the others commit. If only the commit is refused, each
//! event gets a transaction of its own. When the database aborts the
//! transaction for a conflict of its own (deadlock, serialization failure, busy), it is simply
//! repeated, and nothing counts as an attempt.

mod size;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::attempt::{Frame, attempted};
use super::backoff::Backoff;
use super::crew::Crew;
use super::decide::{Ended, Next, new_delivery};
use super::hooks::Notice;
use super::queue::Item;
use crate::consumer::{Bound, Handler};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Position;
use crate::store::types::Totals;
use crate::store::{Changes, Checkpoint, DeliveryState, Due, Recorded, Store};
use crate::tx::Tx;

pub(super) use size::UnitSize;

/// The events of one transaction, and what is recorded with them.
pub(super) struct Unit<S: Store> {
    pub(super) crew: Arc<Crew<S>>,
    pub(super) consumer: Arc<Bound<S::Db>>,
    pub(super) items: Vec<Item>,
    /// As if all items were handled: each will be, or have a row.
    pub(super) checkpoint: Checkpoint<S::Progress>,
    pub(super) changes: Changes,
    /// Rows that `changes` settles.
    pub(super) settled_rows: Vec<Position>,
    pub(super) notices: Vec<Notice>,
    pub(super) token: CancellationToken,
}

/// What was committed.
pub(crate) struct UnitDone<S: Store> {
    pub(super) checkpoint: Checkpoint<S::Progress>,
    pub(super) settled: Vec<(Item, Settled)>,
    pub(super) counted: Totals,
    pub(super) recorded: Recorded,
    pub(super) released: Vec<String>,
    /// How soon a row that was written may be due.
    pub(super) soonest: Option<Duration>,
    pub(super) settled_rows: Vec<Position>,
    pub(super) notices: Vec<Notice>,
}

/// What became of one event of a unit.
#[derive(Clone, Debug)]
pub(super) enum Settled {
    Next(Next),
    /// Behind an event of the same key that failed in this unit.
    Parked,
}

/// Why a unit did not commit, and what the shard does about it.
pub(crate) enum UnitFailed<S: Store> {
    /// The shard starts anew from its last checkpoint.
    GiveUp(Error),
    /// Only the commit was refused, so no savepoint tells which event is to blame (a deferred
    /// constraint): each is given a transaction of its own.
    Split(Box<Unit<S>>),
}

/// Why a try of the whole unit did not commit.
enum Failed {
    /// The database aborted it: try again.
    Conflict(Error),
    /// The database refused what was done in it.
    Refused(Error),
    /// The database cannot be used: try again, later.
    Unusable(Error),
    /// The transaction's connection went away while an event was handled, or after it: perhaps the
    /// database did, perhaps the handler let the connection be closed.
    Lost(Error, Ended),
    /// An event's handler did not succeed.
    Event(Ended),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Conflict => Self::Conflict(error),
            ErrorKind::Database => Self::Refused(error),
            _ => Self::Unusable(error),
        }
    }
}

/// What was handled in a transaction that has not been committed yet.
#[derive(Default)]
struct Handled {
    settled: Vec<(Item, Settled)>,
    /// Keys that later events of the unit wait for.
    held: HashSet<String>,
}

impl Handled {
    /// Parks an event whose key is held; tells whether it is.
    fn parks(&mut self, item: &Item) -> bool {
        let held = item.key().is_some_and(|key| self.held.contains(key));
        if held {
            self.settled.push((item.clone(), Settled::Parked));
        }
        held
    }
}

const HANDLE: &str = "handle an event in a transaction";

/// How many conflicts in a row are borne before savepoints are tried, and as many again before the
/// event is blamed.
const PATIENCE: u32 = 20;

/// How often the connection may go away, before that is taken for the doing of an event.
const LOSSES: u32 = 3;

/// How much longer than a handler may take its transaction may idle.
const MARGIN: Duration = Duration::from_secs(1);

impl<S: Store> Unit<S> {
    pub(super) async fn run(self) -> Result<UnitDone<S>, UnitFailed<S>> {
        let shard = self.checkpoint.shard.clone();
        let single = self.items.len() == 1;
        let mut backoff = Backoff::default();
        let mut watch = self.crew.outage.watch(format!("shard {shard}"));
        let mut losses = 0;
        let mut careful = false;
        let mut failed_before = false;
        let mut conflicts = 0;
        loop {
            // A conflict that comes back for ever is the handler's own doing: on SQLite, writing
            // through another connection than the transaction's.
            let blame = conflicts >= 2 * PATIENCE;
            careful |= conflicts >= PATIENCE && !single;
            let mut tried = match careful {
                false => self.plainly(blame).await,
                true => self.carefully(blame).await,
            };
            losses += u32::from(matches!(tried, Err(Failed::Lost(..))));
            if single {
                tried = match tried {
                    Err(Failed::Event(ended)) => self.only_record(ended).await,
                    Err(Failed::Lost(_, ended)) if losses >= LOSSES => {
                        self.only_record(ended).await
                    }
                    Err(Failed::Refused(error)) => {
                        self.only_record(Ended::Error(error.into())).await
                    }
                    tried => tried,
                };
            }
            let error = match tried {
                Ok(done) => return Ok(done),
                Err(Failed::Conflict(error)) => {
                    tracing::debug!(%shard, %error, "repeating after a conflict");
                    conflicts += 1;
                    backoff.brief().await;
                    continue;
                }
                Err(Failed::Event(_) | Failed::Refused(_)) if !careful && !single => {
                    tracing::debug!(%shard, "repeating with savepoints");
                    careful = true;
                    continue;
                }
                Err(Failed::Refused(_) | Failed::Event(_)) if !single => {
                    return Err(UnitFailed::Split(Box::new(self)));
                }
                Err(Failed::Lost(error, _)) if losses < LOSSES && !self.token.is_cancelled() => {
                    watch.failed(&error).over().await;
                    continue;
                }
                Err(Failed::Lost(..)) if !single && losses >= LOSSES => {
                    return Err(UnitFailed::Split(Box::new(self)));
                }
                Err(Failed::Lost(error, _)) => error,
                Err(Failed::Event(_)) => continue,
                Err(Failed::Refused(error) | Failed::Unusable(error)) => error,
            };
            // The commit may have succeeded although its answer was lost: then the second try finds
            // its checkpoint taken. What was decided is in the database, so the shard starts anew.
            if error.kind() == ErrorKind::LeaseLost || self.token.is_cancelled() || failed_before {
                return Err(UnitFailed::GiveUp(self.give_up(error)));
            }
            failed_before = true;
            watch.failed(&error).over().await;
        }
    }

    /// Ends this incarnation of the shard; the next one takes over from the last checkpoint.
    fn give_up(&self, error: Error) -> Error {
        Error::new(
            ErrorKind::LeaseLost,
            "commit a transaction of events",
            format!("shard {} starts anew: {error}", self.checkpoint.shard),
        )
        .with_source(error)
    }

    /// All events, one after another, with no savepoint.
    async fn plainly(&self, blame: bool) -> Result<UnitDone<S>, Failed> {
        let _seat = self.crew.unit_seat().await;
        let mut tx = self.begin().await?;
        let mut done = Handled::default();
        for item in &self.items {
            if done.parks(item) {
                continue;
            }
            match self.handle(item, &mut tx).await {
                Ended::Outcome(outcome) => self.settle(&mut done, item, Ended::Outcome(outcome)),
                Ended::Error(error) if error.is_conflict() && !blame => {
                    return Err(self.conflict());
                }
                // Whether the connection is still there tells whose failure it is.
                failed @ Ended::Error(_) => {
                    let rolled_back = self.crew.answered(HANDLE, tx.rollback()).await;
                    return Err(match rolled_back {
                        Ok(()) => Failed::Event(failed),
                        Err(error) => Failed::Lost(error, failed),
                    });
                }
                // It may be in the middle of a statement, which nobody waits for.
                failed => return Err(Failed::Event(failed)),
            }
        }
        self.commit(tx, done).await
    }

    /// Each event in a savepoint: what fails is undone and gets a row.
    async fn carefully(&self, blame: bool) -> Result<UnitDone<S>, Failed> {
        let _seat = self.crew.unit_seat().await;
        let mut tx = self.begin().await?;
        let mut done = Handled::default();
        for item in &self.items {
            if done.parks(item) {
                continue;
            }
            let set = tx.savepoint();
            let mut savepoint = self.crew.answered("set a savepoint", set).await?;
            let mut ended = self.handle(item, savepoint.tx()).await;
            match &ended {
                Ended::Outcome(_) => {
                    // Refused when a statement had failed and the handler said nothing of it.
                    let released = self.crew.answered("release a savepoint", savepoint.release());
                    if let Err(error) = released.await {
                        if error.kind() == ErrorKind::Conflict || error.is_temporary() {
                            return Err(error.into());
                        }
                        // The savepoint is undone when it is dropped.
                        ended = Ended::Error(error.into());
                    }
                }
                Ended::Error(error) if error.is_conflict() && !blame => {
                    return Err(self.conflict());
                }
                _ => {
                    let rolled_back = self.crew.answered(HANDLE, savepoint.rollback()).await;
                    if let Err(error) = rolled_back {
                        return Err(Failed::Lost(error, ended));
                    }
                }
            }
            self.settle(&mut done, item, ended);
        }
        self.commit(tx, done).await
    }

    /// The only event of the unit failed: its effects are rolled back, so only that is recorded.
    async fn only_record(&self, ended: Ended) -> Result<UnitDone<S>, Failed> {
        let _seat = self.crew.unit_seat().await;
        let tx = self.begin().await?;
        let mut done = Handled::default();
        self.settle(&mut done, &self.items[0], ended);
        self.commit(tx, done).await
    }

    async fn begin(&self) -> Result<Tx<'static, S::Db>, Failed> {
        let begin = async {
            let mut inner = self.crew.store.begin().await?;
            // A handler may not take longer, so the transaction of one that lives does not idle
            // longer.
            let longest = self.consumer.options.timeout.saturating_add(MARGIN);
            self.crew.store.limit_idle(&mut inner, longest).await?;
            Ok(inner)
        };
        // On SQLite it may be a conflict, with whoever writes; no event of this unit is to blame.
        let inner = self.crew.answered("begin", begin).await.map_err(Failed::Unusable)?;
        Ok(Tx::new(inner, Arc::clone(&self.crew.emitter), None))
    }

    async fn handle(&self, item: &Item, tx: &mut Tx<'_, S::Db>) -> Ended {
        let Handler::Tx(handler) = &self.consumer.handler else {
            return Ended::Panicked("a unit is only for handlers with a transaction".to_owned());
        };
        let frame = Frame::new(&self.consumer.options, item, &self.token);
        let handling = handler.run(attempted(item), tx, frame.context.clone());
        frame.run(handling).await.map_or_else(|ended| ended, Ended::from)
    }

    fn settle(&self, done: &mut Handled, item: &Item, ended: Ended) {
        let options = &self.consumer.options;
        let next = Next::after(ended, item.attempt(), options, fastrand::f64());
        if options.ordered && next.holds_key(options) {
            done.held.extend(item.event.key.clone());
        }
        done.settled.push((item.clone(), Settled::Next(next)));
    }

    /// Appends the checkpoint with everything that was decided, and commits.
    async fn commit(
        &self,
        mut tx: Tx<'static, S::Db>,
        done: Handled,
    ) -> Result<UnitDone<S>, Failed> {
        let settled = done.settled;
        let mut changes = self.changes.clone();
        let mut counted = Totals::default();
        for (item, settles) in &settled {
            match settles {
                Settled::Next(next) => {
                    next.change(item, &self.consumer.options, &mut changes);
                    next.count(&mut counted);
                }
                Settled::Parked if item.has_row() => {}
                Settled::Parked => {
                    let row = new_delivery(item, DeliveryState::Parked, 0, Due::Never, None);
                    changes.insert.push(row);
                    changes.release.extend(item.event.key.clone());
                }
            }
        }
        let mut checkpoint = self.checkpoint.clone();
        checkpoint.totals += counted;
        let recording = self.crew.store.record(&mut tx, &checkpoint, &changes);
        let recorded = match self.crew.answered("record progress", recording).await {
            Ok(recorded) => recorded,
            Err(error) if error.kind() == ErrorKind::Unavailable => {
                let ended = Ended::Error(format!("the transaction was lost: {error}").into());
                return Err(Failed::Lost(error, ended));
            }
            Err(error) => return Err(error.into()),
        };
        self.crew.answered("commit", tx.commit()).await?;
        let (notices, settled_rows) = (self.notices.clone(), self.settled_rows.clone());
        Ok(UnitDone {
            checkpoint,
            settled,
            counted,
            recorded,
            soonest: changes.soonest(),
            released: changes.release,
            settled_rows,
            notices,
        })
    }

    fn conflict(&self) -> Failed {
        Failed::Conflict(Error::new(
            ErrorKind::Conflict,
            HANDLE,
            "the database aborted the transaction for a conflict with another one",
        ))
    }
}
