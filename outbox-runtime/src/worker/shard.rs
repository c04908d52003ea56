//! Running one shard: read ahead, start handlers, take in what they did, record it.
//!
//! All state of a shard is here and in one task, so there is nothing to lock. The log is read, and
//! what was done is recorded, in tasks beside it, one of each at most: handlers run meanwhile.
//! What is in memory is always reconstructible from the last checkpoint: a process may die between
//! any two statements, and the next worker repeats what was not recorded.

mod admit;
mod barrier;
mod burst;
mod call;
mod recording;
mod settle;
mod start;

pub(super) use admit::PAGE_BYTES;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::crew::{Crew, Tally, Turn};
use super::hooks::Notice;
use super::outage::{Pause, over};
use super::pace::Pacer;
use super::permits::Permits;
use super::queue::{Item, Queue};
use super::shelf::Reader;
use super::stride::{Attempts, Stride};
use super::tracker::Tracker;
use super::unit::{UnitDone, UnitFailed, UnitSize};
use crate::bell::Listener;
use crate::consumer::{Bound, DeliveryMode, OnDead};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Position;
use crate::store::line::Line;
use crate::store::types::Totals;
use crate::store::{
    Changes, DeliveryState, Due, Page, Recorded, ShardId, Slice, Store, Taken, UpdatedDelivery,
};
use barrier::Stopping;
use burst::Burst;
use call::Call;
use recording::Frozen;

/// A shard that this worker has the lease of.
pub(crate) struct Shard<S: Store> {
    crew: Arc<Crew<S>>,
    consumer: Arc<Bound<S::Db>>,
    id: ShardId,
    slice: Slice,
    listener: Arc<Listener>,
    clock: Option<watch::Receiver<()>>,
    /// Fires when the shard is to finish what runs, and start nothing more.
    token: CancellationToken,
    /// Fires when the whole worker stops: handlers have children of it, and only then is there an end
    /// to how long they may go on.
    ending: CancellationToken,

    seq: i64,
    /// The number of the last checkpoint when it was last asked whether to delete older ones.
    trimmed: i64,
    totals: Totals,
    tracker: Tracker<S::Progress>,
    cursor: S::Progress,
    caught_up: bool,
    /// How many events are expected.
    burst: Burst,
    /// The page that is being read.
    reading: Call<Page<S::Progress>>,
    /// What it is read by.
    reading_line: Line<S::Db>,
    /// Finds the page where another consumer has it.
    reader: Arc<Reader<S::Progress>>,
    /// Whether the bell has rung since: the page may lack what was committed then.
    rung: bool,
    /// Mean payload size of the last page, to bound the bytes read ahead.
    mean_bytes: usize,

    queue: Queue,
    /// Keys with a delivery row that holds later events back.
    held: HashSet<String>,
    /// Keys that somebody has paused.
    paused: HashSet<String>,
    /// Where to stop, while the number of shards is changing.
    stop: Option<Stopping<S::Progress>>,
    /// The rate of a replay.
    pacer: Option<Pacer>,
    /// Rows that are queued, running, or settled and not yet recorded: not to be fetched again.
    rows: HashSet<Position>,
    /// Where the worker before gave events rows beyond its progress. Between the two may lie earlier
    /// events of their keys that it left, so these rows wait until everything before them was read.
    unread: HashSet<Position>,
    /// When to look for parked rows whose head was removed by somebody else at the same moment.
    last_sweep: Instant,
    /// When to look for due rows; `None` while no row is known.
    next_due: Option<Instant>,
    /// How many deliveries may be what killed the worker before.
    suspects: u32,
    /// Items whose attempt is being recorded before it begins.
    begun: VecDeque<Item>,
    /// The right to do so, until it is recorded how they ended.
    turn: Option<Turn>,
    /// When to ask for it again.
    turn_due: Option<Instant>,

    running: JoinSet<Finished<S>>,
    stride: Stride,
    /// What tasks that go on hand back.
    early: (UnboundedSender<Attempts>, UnboundedReceiver<Attempts>),
    permits: Permits,
    running_items: u32,
    /// What runs must run alone: an item whose attempt was recorded first.
    alone: Option<Item>,
    unit_running: bool,
    unit_began: Instant,
    unit_size: UnitSize,
    /// How many of the next events get a transaction each, because one that they shared was refused.
    singly: u32,

    changes: Changes,
    /// Rows that `changes` settles.
    settled_rows: Vec<Position>,
    notices: Vec<Notice>,
    completions: u32,
    /// Attempts that ended, of deliveries that are not recorded as done.
    attempted: u32,
    dirty_since: Option<Instant>,
    last_recorded: Instant,
    recorded_mark: Position,
    frozen: Option<Frozen<S::Progress>>,
    /// Writes `frozen`.
    writing: Call<Recorded>,
    /// What it is written by.
    writing_line: Line<S::Db>,
    /// Whether the database has answered since somebody looked.
    answered: bool,
    /// When the database failed, if nothing has been heard of it since.
    in_doubt: Option<Instant>,

    pub(crate) tally: Tally,
}

/// What a task of the shard brings back.
pub(super) enum Finished<S: Store> {
    Attempts(Attempts),
    Unit(Result<Box<UnitDone<S>>, UnitFailed<S>>),
}

/// Until when a shard runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// It is told to stop.
    Stopped,
    /// Nothing is due any more.
    Drained,
}

impl<S: Store> Shard<S> {
    /// Takes a shard over. `unclean` says that the worker before did not hand it back.
    pub(crate) async fn take_over(
        crew: Arc<Crew<S>>,
        consumer: Arc<Bound<S::Db>>,
        shard: u32,
        unclean: bool,
        token: CancellationToken,
        ending: CancellationToken,
    ) -> Result<Self> {
        let options = &consumer.options;
        let id = ShardId { consumer: options.name, shard };
        let mut slice = Slice {
            event_name: consumer.event_name,
            event_version: consumer.event_version,
            shard,
            // It learns these two when it takes over.
            shards: shard + 1,
            not_before: None,
            ordered: options.ordered,
            dead_holds_key: options.on_dead == OnDead::Hold,
        };
        let taking = crew.store.take_over(&id, &slice, crew.worker);
        let taken: Taken<S::Progress> = crew.seated("take over a shard", taking).await?;
        slice.shards = taken.orders.shards;
        slice.not_before = taken.orders.not_before;
        let now = Instant::now();
        let unread = if options.ordered { taken.completed.clone() } else { Vec::new() };
        let tracker = Tracker::new(taken.progress.clone(), taken.completed);
        let pace = taken.orders.pace.filter(|pace| tracker.mark() < pace.until);
        let pacer = pace.map(|pace| Pacer::new(pace, slice.shards, now));
        Ok(Self {
            listener: crew.bell.listen(consumer.event_name),
            clock: crew.store.clock().watch(),
            token,
            ending,
            seq: taken.seq,
            trimmed: taken.seq - 1,
            totals: taken.totals,
            recorded_mark: tracker.mark(),
            tracker,
            cursor: taken.progress,
            caught_up: false,
            burst: Burst::default(),
            reading: Call::new(),
            reading_line: Line::default(),
            reader: Arc::new(crew.shelf.reader(&slice)),
            rung: false,
            mean_bytes: 1,
            queue: Queue::new(options.ordered && options.mode == DeliveryMode::AtLeastOnce),
            held: taken.held_keys.into_iter().collect(),
            paused: taken.paused_keys.into_iter().collect(),
            pacer,
            stop: taken.orders.stop.map(Stopping::Ahead),
            rows: HashSet::new(),
            unread: unread.into_iter().collect(),
            last_sweep: now,
            next_due: taken.has_deliveries.then_some(now),
            suspects: if unclean { crew.options.most_in_flight(options) } else { 0 },
            begun: VecDeque::new(),
            turn: None,
            turn_due: None,
            running: JoinSet::new(),
            stride: Stride::new(),
            early: unbounded_channel(),
            permits: Permits::new(crew.permits.clone()),
            running_items: 0,
            alone: None,
            unit_running: false,
            unit_began: Instant::now(),
            unit_size: UnitSize::new(crew.options.tx_size),
            singly: 0,
            changes: Changes { dead_holds_key: slice.dead_holds_key, ..Changes::default() },
            settled_rows: Vec::new(),
            notices: Vec::new(),
            completions: 0,
            attempted: 0,
            dirty_since: None,
            last_recorded: now.checked_sub(crew.options.record_interval).unwrap_or(now),
            frozen: None,
            writing: Call::new(),
            writing_line: Line::default(),
            answered: false,
            in_doubt: None,
            tally: Tally::default(),
            id,
            slice,
            consumer,
            crew,
        })
    }

    /// Runs until told to stop, or until nothing is due. Errors of the database are waited out;
    /// the only errors that end it are the loss of the shard to another worker, and of the pool. Also
    /// ends when the number of shards has changed: the shard is to be taken over anew.
    pub(crate) async fn run(&mut self, until: Until) -> Result<()> {
        let mut watch = self.crew.outage.watch(format!("shard {}", self.id));
        let mut pause: Option<Pause> = None;
        let mut deadline = None;
        loop {
            let stopping = self.token.is_cancelled();
            // A database that failed is left alone for a while, whatever wakes the shard meanwhile.
            let waits = pause.as_ref().is_some_and(|pause| !pause.is_over());
            if waits || stopping {
                // It starts nothing, so others may.
                self.permits.let_go();
            }
            let stepped = if waits { self.take_in_all() } else { self.step(stopping, until).await };
            match stepped {
                Err(error) if ends(&error) => return Err(error),
                Err(error) => {
                    self.doubt();
                    // What was asked before the pause began, and fails in it, makes it no longer.
                    match pause.as_ref().filter(|_| waits) {
                        Some(pause) => watch.failed_as_well(&error, pause),
                        None => pause = Some(watch.failed(&error)),
                    }
                }
                Ok(()) if waits => {}
                Ok(()) => {
                    pause = None;
                    if std::mem::take(&mut self.answered) {
                        watch.succeeded();
                    }
                }
            }
            let mut limit = pause.as_ref().map(Pause::until);
            if stopping {
                if self.ending.is_cancelled() && deadline.is_none() {
                    let longest = self.crew.options.shutdown_timeout.min(LONGEST_SLEEP);
                    deadline = Some(Instant::now() + longest);
                }
                let is_over = deadline.is_some_and(|end| Instant::now() >= end);
                let is_done = self.running.is_empty() && !self.has_something_to_record();
                if (is_done && pause.is_none()) || is_over {
                    return self.finish().await;
                }
                limit = [limit, deadline].into_iter().flatten().min();
            } else if self.is_over()
                || (limit.is_none() && until == Until::Drained && self.is_drained())
            {
                return Ok(());
            }
            self.crew.note_in_flight(&self.id, self.running_items);
            tokio::select! {
                waited = self.wait(stopping, limit) => waited?,
                () = over(&mut pause) => {}
            }
        }
    }

    /// Everything that can be done now.
    async fn step(&mut self, stopping: bool, until: Until) -> Result<()> {
        self.take_in_all()?;
        if !stopping {
            self.note_read_again();
            // Rows first: they are older than what is read, and a backlog must not starve them.
            if self.wants_rows() {
                self.fetch_due().await?;
            }
            if self.wants_events() {
                self.read();
            }
            if !self.held.is_empty() && self.last_sweep.elapsed() >= SWEEP {
                self.sweep().await?;
            }
            self.start(until);
        }
        let hurry = stopping || (until == Until::Drained && self.is_quiet());
        if self.should_record(hurry) {
            self.write();
        }
        if !stopping {
            self.note_read_again();
            if self.may_meet() {
                self.meet().await?;
            }
        }
        self.trim().await;
        Ok(())
    }

    /// Everything that has come since.
    fn take_in_all(&mut self) -> Result<()> {
        self.take_in_finished()?;
        match (self.take_in_record(), self.take_in_page()) {
            (Err(_), Err(read)) if ends(&read) => Err(read),
            (Err(recorded), Err(read)) => {
                self.crew.outage.note("a read beside a record", &read);
                Err(recorded)
            }
            (recorded, read) => recorded.and(read),
        }
    }

    /// Waits for the next thing to do, at most until `limit`.
    async fn wait(&mut self, stopping: bool, limit: Option<Instant>) -> Result<()> {
        if limit.is_none() && self.has_work_at_once() {
            // Lets the handlers on this thread have their turn.
            tokio::task::yield_now().await;
            return Ok(());
        }
        let wake = [limit, self.next_wake().filter(|_| limit.is_none() && !stopping)]
            .into_iter()
            .flatten()
            .min();
        let listener = Arc::clone(&self.listener);
        let (token, ending) = (self.token.clone(), self.ending.clone());
        let ends = stopping && !ending.is_cancelled();
        tokio::select! {
            Some(joined) = self.running.join_next(), if !self.running.is_empty() => {
                self.take_in(joined)?;
            }
            Some(attempts) = self.early.1.recv() => self.take_in_attempts(attempts),
            () = self.reading.answered() => {}
            () = self.writing.answered() => {}
            () = listener.rung(), if !stopping => {
                self.caught_up = false;
                self.rung = true;
                if self.listener.take_due() {
                    self.next_due = Some(Instant::now());
                }
            }
            () = moved(&mut self.clock), if !stopping => {
                self.next_due = Some(Instant::now());
            }
            () = self.permits.come(), if !stopping && self.permits.is_wanted() => {}
            () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
            () = token.cancelled(), if !stopping => {}
            () = ending.cancelled(), if ends => {}
        }
        Ok(())
    }

    /// The database failed. Whether it is the one of before, what it holds, and whether anything can
    /// be recorded there is seen by the next record, or by the next read where there is nothing to
    /// record.
    fn doubt(&mut self) {
        self.answered = false;
        self.in_doubt = Some(Instant::now());
        self.caught_up = false;
    }

    /// What was asked at this time was answered. (If that was before the database failed, it says
    /// nothing of what the database is now.)
    fn hear(&mut self, asked: Instant) {
        if self.in_doubt.is_none_or(|since| asked > since) {
            self.answered = true;
            self.in_doubt = None;
        }
    }

    /// Whether the next answer may say that what is in memory is worth nothing: what began now would
    /// be handled twice for no good.
    fn is_in_doubt(&self) -> bool {
        self.in_doubt.is_some()
            && (self.reading.is_open() || self.writing.is_open() || self.should_record(false))
    }

    /// Nothing is queued, running, or about to be.
    fn is_quiet(&self) -> bool {
        (self.caught_up || self.has_stopped()) && self.is_idle()
    }

    /// Nothing is queued or running.
    fn is_idle(&self) -> bool {
        self.queue.len() == 0 && self.running.is_empty() && self.begun.is_empty()
    }

    fn is_drained(&self) -> bool {
        self.is_quiet()
            && self.dirty_since.is_none()
            && self.frozen.is_none()
            && (self.next_due.is_none_or(|due| due > Instant::now()) || self.has_stopped())
    }

    fn has_work_at_once(&mut self) -> bool {
        !self.token.is_cancelled() && (self.wants_events() || self.wants_rows())
    }

    /// When something is to be done even if nothing happens.
    fn next_wake(&self) -> Option<Instant> {
        let may_record = !self.unit_running && !self.writing.is_open();
        let record = self.dirty_since.filter(|_| may_record).map(|since| {
            if self.is_quiet() {
                self.last_recorded + self.crew.options.record_interval
            } else {
                since + self.crew.options.record_interval
            }
        });
        let batch = self.batch_due();
        let due = self.next_due.filter(|_| self.may_fetch());
        let reads = !self.caught_up && self.may_read();
        let paced = self.pacer.as_ref().filter(|_| reads);
        let paced = paced.map(Pacer::next);
        let sweep = (!self.held.is_empty()).then(|| self.last_sweep + SWEEP);
        [record, batch, due, paced, sweep, self.turn_due].into_iter().flatten().min()
    }

    /// The end of a graceful stop: handlers that are still running are dropped, and their events
    /// will be delivered again.
    async fn finish(&mut self) -> Result<()> {
        if !self.running.is_empty() {
            tracing::warn!(
                shard = %self.id,
                handlers = self.running_items,
                "handlers did not end within the shutdown timeout; their events will come again"
            );
            self.running.shutdown().await;
            self.take_in_early();
        }
        self.take_back_begun();
        while self.has_something_to_record() {
            if let Err(error) = self.record().await {
                self.crew.outage.note("recording the last progress", &error);
                break;
            }
        }
        Ok(())
    }

    /// Ends what runs, when another worker goes on with it or the shard starts anew.
    pub(crate) async fn abandon(&mut self) {
        self.running.shutdown().await;
        self.reading.give_up().await;
        self.writing.give_up().await;
    }

    fn has_something_to_record(&self) -> bool {
        !self.unit_running && (self.dirty_since.is_some() || self.frozen.is_some())
    }

    /// Whether there is still something that may be what killed the worker before.
    pub(crate) fn has_suspects(&self) -> bool {
        self.suspects > 0
    }

    /// Another consumer may have emitted something meanwhile.
    pub(crate) fn look_again(&mut self) {
        self.caught_up = false;
        if !self.held.is_empty() {
            self.next_due = Some(Instant::now());
        }
    }

    /// An attempt that was recorded as begun and is dropped, or never started, killed nobody.
    fn take_back_begun(&mut self) {
        for item in self.begun.drain(..).chain(self.alone.take()) {
            self.changes.update.push(UpdatedDelivery {
                position: item.position(),
                state: DeliveryState::Retrying,
                attempts: item.attempts.saturating_sub(1),
                due: Due::In(Duration::ZERO),
                started: false,
                error: None,
            });
            self.dirty_since.get_or_insert_with(Instant::now);
        }
    }

    fn lost(&self) -> Error {
        Error::new(
            ErrorKind::LeaseLost,
            "run a shard",
            format!("the task of shard {} ended unexpectedly", self.id),
        )
    }
}

/// Whether a shard cannot go on after it.
fn ends(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::LeaseLost | ErrorKind::Closed)
}

/// Resolves when a test's clock is moved.
pub(super) async fn moved(clock: &mut Option<watch::Receiver<()>>) {
    if let Some(clock) = clock
        && clock.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

/// How often a shard that parks deliveries makes sure that none was forgotten.
const SWEEP: Duration = Duration::from_secs(5);

/// Longest that a shard sleeps before it looks again at what is due.
pub(super) const LONGEST_SLEEP: Duration = Duration::from_secs(3600);
