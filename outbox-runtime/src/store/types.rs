//! What passes between the engine and a store.

// The signatures of `Store` name these types, and `Store` is named by the public `Backend`; the
// module itself is private.
#![allow(unreachable_pub)]

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::consumer::Start;
use crate::event::{Emitted, Position, StoredEvent};
use crate::headers::Headers;
use crate::store::{AttemptError, DeliveryState};

/// An event that is being appended; checked already.
#[derive(Debug)]
pub struct NewEvent {
    pub(crate) id: Uuid,
    pub(crate) name: &'static str,
    pub(crate) version: u32,
    pub(crate) key: Option<String>,
    pub(crate) key_hash: i32,
    pub(crate) payload: Box<RawValue>,
    pub(crate) headers: Headers,
    pub(crate) dedup_key: Option<String>,
}

/// A statement that changes rows, one event each.
#[derive(Debug)]
pub struct ChangeStatement {
    pub(crate) sql: &'static str,
    pub(crate) name: &'static str,
    pub(crate) version: u32,
    pub(crate) key_column: Option<&'static str>,
    pub(crate) headers: Headers,
}

/// A changed row, as the payload of the event that was appended for it.
#[derive(Debug)]
pub struct ChangedRow {
    pub(crate) payload: Box<RawValue>,
    pub(crate) key: Option<String>,
    pub(crate) emitted: Emitted,
}

/// One shard of one consumer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ShardId {
    pub(crate) consumer: &'static str,
    pub(crate) shard: u32,
}

impl std::fmt::Display for ShardId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.consumer, self.shard)
    }
}

/// The part of the log that a shard reads.
#[derive(Clone, Debug)]
pub struct Slice {
    pub(crate) event_name: &'static str,
    /// The newest version that this worker knows.
    pub(crate) event_version: u32,
    pub(crate) shard: u32,
    pub(crate) shards: u32,
    /// Only events appended at or after this time.
    pub(crate) not_before: Option<DateTime<Utc>>,
    /// Whether events of one key run one after another.
    pub(crate) ordered: bool,
    /// Whether dead letters hold their key.
    pub(crate) dead_holds_key: bool,
}

#[cfg(test)]
impl Slice {
    /// All events of a name.
    pub(crate) const fn whole(event_name: &'static str) -> Self {
        Self {
            event_name,
            event_version: 1,
            shard: 0,
            shards: 1,
            not_before: None,
            ordered: false,
            dead_holds_key: true,
        }
    }
}

/// A page of at most so many events may be read in a way that costs less to begin, and more for each event.
pub(crate) const FEW: u32 = 32;

/// What one read of the log returned.
#[derive(Clone, Debug)]
pub struct Page<P> {
    pub(crate) events: Vec<Arc<StoredEvent>>,
    /// Where the events were read: `start.at(position)` is the progress after one of them.
    pub(crate) start: P,
    /// Where the next read begins.
    pub(crate) end: P,
    /// Whether there was nothing more at the time.
    pub(crate) caught_up: bool,
    /// The time of the read.
    pub(crate) now: DateTime<Utc>,
}

impl<P: Clone> Page<P> {
    /// What a reader gets that has come to its barrier.
    pub(crate) fn nothing(at: P, now: DateTime<Utc>) -> Self {
        Self { events: Vec::new(), start: at.clone(), end: at, caught_up: true, now }
    }
}

/// A consumer about to be registered.
#[derive(Clone, Debug)]
pub struct Registration {
    pub(crate) name: &'static str,
    pub(crate) event_name: &'static str,
    pub(crate) event_version: u32,
    pub(crate) ordered: bool,
    pub(crate) shards: u32,
    pub(crate) start: Start,
}

/// A consumer that the database knows.
#[derive(Clone, Debug)]
pub struct Registered {
    pub(crate) name: String,
    pub(crate) shards: u32,
    pub(crate) event_name: String,
    pub(crate) event_version: u32,
    pub(crate) ordered: bool,
    /// Grows with every operation on the consumer.
    pub(crate) revision: i64,
    pub(crate) paused: bool,
    pub(crate) retired: bool,
}

impl Registered {
    /// Whether there is nothing new in the registration.
    pub(crate) fn covers(&self, consumer: &Registration) -> bool {
        self.name == consumer.name
            && self.event_name == consumer.event_name
            && self.event_version >= consumer.event_version
            && self.ordered == consumer.ordered
            && !self.retired
    }

    /// What is known of each of the consumers, in their order. How many shards one has and where it
    /// started was said at its first registration; the code may say something else by now.
    pub(crate) fn of(mut known: Vec<Self>, consumers: &[&str]) -> Vec<Self> {
        known.sort_by_key(|row| consumers.iter().position(|name| *name == row.name));
        known
    }
}

/// What a worker finds when it takes a shard.
#[derive(Debug)]
pub struct Taken<P> {
    pub(crate) seq: i64,
    pub(crate) progress: P,
    pub(crate) completed: Vec<Position>,
    pub(crate) totals: Totals,
    /// Keys that have a delivery row which holds later events back.
    pub(crate) held_keys: Vec<String>,
    /// Whether any delivery row exists.
    pub(crate) has_deliveries: bool,
    /// Keys that somebody has paused.
    pub(crate) paused_keys: Vec<String>,
    /// What the consumer was told to do, as of this epoch: whatever changes it appends a
    /// checkpoint, and so ends the epoch.
    pub(crate) orders: Orders<P>,
}

/// What operations have made of a consumer.
#[derive(Clone, Debug)]
pub struct Orders<P> {
    pub(crate) shards: u32,
    /// Of a consumer that started at a time.
    pub(crate) not_before: Option<DateTime<Utc>>,
    /// Where its shards stop, while their number is changing.
    pub(crate) stop: Option<Stop<P>>,
    pub(crate) pace: Option<Pace>,
}

/// Where a shard stops.
#[derive(Clone, Debug)]
pub enum Stop<P> {
    /// Where it is.
    Here,
    /// At a place that it has not passed.
    At(P),
}

impl<P> Stop<P> {
    /// From what the consumer's row says.
    pub(crate) fn of(is_changing: bool, barrier: Option<P>) -> Option<Self> {
        is_changing.then(|| barrier.map_or(Self::Here, Self::At))
    }
}

/// The rate of a replay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// The last position of the replay.
    pub(crate) until: Position,
    /// Of all shards together.
    pub(crate) per_second: f64,
}

/// A worker that lives.
#[derive(Clone, Debug)]
pub struct Member {
    pub(crate) id: Uuid,
    pub(crate) consumers: Vec<String>,
}

impl Member {
    pub(crate) fn knows(&self, consumer: &str) -> bool {
        self.consumers.iter().any(|name| name == consumer)
    }
}

/// Who could run what.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    pub(crate) members: Vec<Member>,
    /// The consumers that are run, with their shards.
    pub(crate) consumers: Vec<(String, u32)>,
}

/// A worker with the consumers that it knows, or a consumer with its shards, as a store reads them.
pub(crate) type FleetRow<Known, Shards> =
    (Option<Uuid>, Option<Known>, Option<String>, Option<Shards>);

impl Fleet {
    pub(crate) fn of<Known, Shards>(
        rows: Vec<FleetRow<Known, Shards>>,
        known: impl Fn(Known) -> Vec<String>,
        count: impl Fn(Shards) -> u32,
    ) -> Self {
        let mut fleet = Self::default();
        for row in rows {
            match row {
                (Some(id), Some(consumers), ..) => {
                    fleet.members.push(Member { id, consumers: known(consumers) });
                }
                (.., Some(name), Some(shards)) => fleet.consumers.push((name, count(shards))),
                _ => {}
            }
        }
        fleet
    }
}

/// What processes tell each other. It is a hint: what it does not say, or says in vain, the log does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal<'a> {
    /// Events of these names were committed.
    Committed(&'a [&'a str]),
    /// Anything may have happened.
    Look,
}

/// What a worker reacts to: when it changes, the worker looks closer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// The sum of its consumers' revisions.
    pub(crate) revision: i64,
    /// Shards of its consumers that nobody has.
    pub(crate) free: i64,
    pub(crate) workers: Vec<Uuid>,
}

/// What a worker finds out now and then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    pub(crate) pulse: Pulse,
    /// Which event names were committed since the last time; `None` stands for "many".
    pub(crate) names: Option<Vec<String>>,
}

/// A worker's word that it lives.
#[derive(Clone, Debug)]
pub struct Heartbeat<'a> {
    pub(crate) worker: Uuid,
    pub(crate) consumers: &'a [&'a str],
    /// Whether it takes no more shards, and gives back those that it has.
    pub(crate) leaving: bool,
    pub(crate) ttl: Duration,
}

/// Cumulative counters of a shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub(crate) handled: i64,
    pub(crate) retried: i64,
    pub(crate) dead: i64,
}

impl std::ops::AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.handled += other.handled;
        self.retried += other.retried;
        self.dead += other.dead;
    }
}

/// A row of the checkpoint ledger.
#[derive(Clone, Debug)]
pub struct Checkpoint<P> {
    pub(crate) shard: ShardId,
    pub(crate) seq: i64,
    pub(crate) progress: P,
    /// Positions handled beyond `progress`.
    pub(crate) completed: Vec<Position>,
    pub(crate) totals: Totals,
    pub(crate) worker: Uuid,
    /// Whether the shard has come to its barrier, and nothing of it is being handled.
    pub(crate) drained: bool,
}

/// What changes together with a checkpoint.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub(crate) insert: Vec<NewDelivery>,
    pub(crate) update: Vec<UpdatedDelivery>,
    pub(crate) delete: Vec<Position>,
    /// Keys whose next delivery may now run: their head is gone.
    pub(crate) release: Vec<String>,
    /// Whether dead letters hold their key, for `release`.
    pub(crate) dead_holds_key: bool,
    pub(crate) audit: Vec<AuditEntry>,
}

impl Changes {
    /// Adds what came later.
    pub(crate) fn append(&mut self, mut later: Self) {
        self.insert.append(&mut later.insert);
        self.update.append(&mut later.update);
        self.delete.append(&mut later.delete);
        self.release.append(&mut later.release);
        self.audit.append(&mut later.audit);
    }

    /// How soon after it is recorded a row may be due; zero where only the database can tell.
    pub(crate) fn soonest(&self) -> Option<Duration> {
        let inserted = self.insert.iter().map(|row| row.due);
        let updated = self.update.iter().map(|row| row.due);
        let waits = inserted.chain(updated).filter_map(|due| match due {
            Due::Never => None,
            Due::In(wait) => Some(wait),
            Due::At(_) => Some(Duration::ZERO),
        });
        waits.min()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.insert.is_empty()
            && self.update.is_empty()
            && self.delete.is_empty()
            && self.release.is_empty()
            && self.audit.is_empty()
    }
}

/// What a record found out.
#[derive(Debug, Default)]
pub struct Recorded {
    /// Of the released keys, those that still have a delivery which holds later events back.
    pub(crate) still_held: Vec<String>,
}

/// A delivery that gets a row.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    pub(crate) event: std::sync::Arc<StoredEvent>,
    pub(crate) key_hash: i32,
    pub(crate) state: DeliveryState,
    pub(crate) attempts: u32,
    pub(crate) due: Due,
    pub(crate) started: bool,
    pub(crate) error: Option<AttemptError>,
}

/// A delivery whose row changes.
#[derive(Clone, Debug)]
pub struct UpdatedDelivery {
    pub(crate) position: Position,
    pub(crate) state: DeliveryState,
    pub(crate) attempts: u32,
    pub(crate) due: Due,
    pub(crate) started: bool,
    pub(crate) error: Option<AttemptError>,
}

/// When a delivery runs by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    Never,
    /// This long after the database records it.
    In(Duration),
    At(DateTime<Utc>),
}

/// A row of `audit`.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    pub(crate) position: Position,
    pub(crate) event_id: Uuid,
    pub(crate) outcome: &'static str,
    pub(crate) note: Option<String>,
    pub(crate) attempt: u32,
}

/// Which due deliveries a shard asks for.
#[derive(Debug)]
pub struct DueQuery {
    pub(crate) consumer: &'static str,
    pub(crate) slice: Slice,
    pub(crate) ordered: bool,
    /// Positions that are being handled.
    pub(crate) except: Vec<Position>,
    pub(crate) limit: u32,
}

/// A delivery row that is due.
#[derive(Debug)]
pub struct DeliveryRow {
    pub(crate) event: StoredEvent,
    pub(crate) attempts: u32,
    /// Whether an attempt was recorded as begun and never as ended: its worker died.
    pub(crate) started: bool,
    /// Whether the last attempt killed its worker.
    pub(crate) crashed: bool,
}

/// The time before which a consumer takes no event, from what `start_text` said of it.
pub(crate) fn not_before(start: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(start).ok().map(|time| time.to_utc())
}

/// Where a delivery stands among all of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub(crate) consumer: String,
    pub(crate) position: Position,
}

/// The places of changed deliveries, in order.
pub(crate) fn places(changed: &[(String, Position, Option<String>)]) -> Vec<Place> {
    let place = |(consumer, position, _): &(String, Position, _)| Place {
        consumer: consumer.clone(),
        position: *position,
    };
    let mut places: Vec<Place> = changed.iter().map(place).collect();
    places.sort_unstable();
    places
}

/// The keys of deleted deliveries, grouped by consumer.
pub(crate) fn keys_by_consumer(
    gone: &[(String, Position, Option<String>)],
) -> Vec<(&str, Vec<&str>)> {
    let mut groups = std::collections::BTreeMap::<&str, Vec<&str>>::new();
    for (consumer, _, key) in gone {
        if let Some(key) = key {
            groups.entry(consumer).or_default().push(key);
        }
    }
    groups.into_iter().collect()
}

/// What the `consumer` table says of a start, for people.
pub(crate) fn start_text(start: Start) -> String {
    match start {
        Start::Now => "now".to_owned(),
        Start::Beginning => "beginning".to_owned(),
        Start::At(time) => time.to_rfc3339(),
    }
}
