//! Moving a consumer back in the log.
//!
//! A replay of everything from some place on moves the position back, and copies nothing. A replay of
//! some events (a key, a span of time, a list) gives each a delivery row, due one after another: the
//! consumer's position stays, and what it does meanwhile goes on.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::Change;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Position;
use crate::store::{DeliveryState, Due, Ledger, NewDelivery, Pace, Progress, Span, Store};

const REPLAY: &str = "replay";

/// How many rows one transaction of a replay inserts.
const STEP: u32 = 1_000;

/// Which events a consumer is to handle again, and how fast.
///
/// ```
/// use outbox_runtime::Replay;
///
/// let everything = Replay::from_beginning();
/// let yesterday_slowly = Replay::from_time(chrono::Utc::now() - chrono::Duration::days(1)).rate(50.0);
/// let one_customer = Replay::from_beginning().key("customer-7");
/// # let _ = (everything, yesterday_slowly, one_customer);
/// ```
#[derive(Clone, Debug)]
pub struct Replay {
    from: Place,
    only: Span,
    rate: Option<f64>,
    dry_run: bool,
}

#[derive(Clone, Debug)]
enum Place {
    Position(Position),
    Time(DateTime<Utc>),
    Event(Uuid),
}

impl Replay {
    fn from(from: Place) -> Self {
        Self { from, only: Span::default(), rate: None, dry_run: false }
    }

    /// From the oldest event that the log still has.
    #[must_use]
    pub fn from_beginning() -> Self {
        Self::from(Place::Position(1))
    }

    /// From this position on.
    #[must_use]
    pub fn from_position(position: Position) -> Self {
        Self::from(Place::Position(position))
    }

    /// From the first event of this time or later.
    #[must_use]
    pub fn from_time(time: DateTime<Utc>) -> Self {
        Self::from(Place::Time(time))
    }

    /// From this event on.
    #[must_use]
    pub fn from_event(id: Uuid) -> Self {
        Self::from(Place::Event(id))
    }

    /// Only events with this key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.only.key = Some(key.into());
        self
    }

    /// Only events up to this position.
    #[must_use]
    pub fn until_position(mut self, position: Position) -> Self {
        self.only.until = Some(position);
        self
    }

    /// Only events from before this time.
    #[must_use]
    pub fn until_time(mut self, time: DateTime<Utc>) -> Self {
        self.only.before = Some(time);
        self
    }

    /// Only these events.
    #[must_use]
    pub fn events(mut self, ids: impl IntoIterator<Item = Uuid>) -> Self {
        self.only.ids.get_or_insert_default().extend(ids);
        self
    }

    /// At most so many events a second, of all shards together. New events wait behind those that
    /// are replayed, unless the replay is of some events only.
    #[must_use]
    pub fn rate(mut self, per_second: f64) -> Self {
        self.rate = Some(per_second);
        self
    }

    /// Changes nothing, and only counts.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Whether only some of the events from its place on are meant.
    fn is_partial(&self) -> bool {
        let Span { until, before, key, ids, .. } = &self.only;
        until.is_some() || before.is_some() || key.is_some() || ids.is_some()
    }

    fn check(&self) -> Result<()> {
        match self.rate {
            Some(rate) if !rate.is_finite() || rate <= 0.0 => {
                let message = format!("a rate of {rate} events a second never comes to an end");
                Err(Error::new(ErrorKind::InvalidOptions, REPLAY, message))
            }
            _ => Ok(()),
        }
    }
}

/// Returns how many events come again.
pub(crate) async fn replay<S: Store>(store: &S, consumer: &str, replay: &Replay) -> Result<u64> {
    replay.check()?;
    // Before the transaction: in one that has an id already, the mark would be wrong.
    let now = store.progress_now().await?;
    let mut change = Change::begin(store, REPLAY, consumer).await?;
    let Some(span) = span(&mut change, replay).await? else { return Ok(0) };
    if replay.dry_run {
        let ledgers = change.ledgers().await?;
        return count(&mut change, &ledgers, &span).await;
    }
    if replay.is_partial() {
        drop(change);
        return replay_some(store, consumer, span, replay.rate).await;
    }
    let mut ledgers = change.fences().await?;
    let again = count(&mut change, &ledgers, &span).await?;
    for ledger in &mut ledgers {
        ledger.rewind(span.from);
        change.amend(ledger).await?;
    }
    // What has a row and is still in the log comes from there, in its place.
    store.forget_deliveries(&mut change.tx, consumer, span.from).await?;
    change.row.pace = replay.rate.map(|per_second| Pace { until: now.mark(), per_second });
    change.commit().await?;
    Ok(again)
}

/// The events that are meant; `None` where there are none.
async fn span<S: Store>(change: &mut Change<'_, S>, replay: &Replay) -> Result<Option<Span>> {
    let from = match replay.from {
        Place::Position(position) => Some(position.max(1)),
        Place::Time(time) => change.store.position_since(&mut change.tx, time).await?,
        Place::Event(id) => {
            let place = change.store.place_of(&mut change.tx, id).await?;
            let (position, ..) = place.ok_or_else(|| {
                let message = format!("event {id} is not in the log");
                Error::new(ErrorKind::NotFound, REPLAY, message)
            })?;
            Some(position)
        }
    };
    let since = match replay.from {
        Place::Time(time) if replay.is_partial() => Some(time),
        _ => None,
    };
    Ok(from.map(|from| Span { from, since, ..replay.only.clone() }))
}

async fn count<S: Store>(
    change: &mut Change<'_, S>,
    ledgers: &[Ledger<S::Progress>],
    span: &Span,
) -> Result<u64> {
    let mut sum = 0;
    for ledger in ledgers {
        sum += change.store.count_handled(&mut change.tx, &change.row, ledger, span).await?;
    }
    Ok(sum)
}

/// Needs no fence: what a shard has behind it stays behind it. What has a row keeps it.
async fn replay_some<S: Store>(
    store: &S,
    consumer: &str,
    span: Span,
    rate: Option<f64>,
) -> Result<u64> {
    let start = store.now().await?;
    let (mut given, mut shard, mut shards) = (0, 0, None);
    let mut rest = span.clone();
    loop {
        // Each step is a short transaction of its own.
        let mut change = Change::begin(store, REPLAY, consumer).await?;
        if *shards.get_or_insert(change.row.shards) != change.row.shards {
            let message = format!(
                "the number of shards of `{consumer}` changed meanwhile; {given} events will come \
                 again, look which others should"
            );
            return Err(Error::new(ErrorKind::Conflict, REPLAY, message));
        }
        let ledgers = change.ledgers().await?;
        let Some(ledger) = ledgers.iter().find(|ledger| ledger.shard == shard) else {
            return Ok(given);
        };
        let events = store.handled(&mut change.tx, &change.row, ledger, &rest, STEP).await?;
        let Some(last) = events.last().map(|event| event.position) else {
            (shard, rest) = (shard + 1, span.clone());
            continue;
        };
        let rows = (given..).zip(events).map(|(place, event)| NewDelivery {
            key_hash: crate::key::key_hash(event.key.as_deref(), event.id),
            event: event.into(),
            state: DeliveryState::Delayed,
            attempts: 0,
            due: Due::At(rate.map_or(start, |rate| due(start, place, rate))),
            started: false,
            error: None,
        });
        let rows: Vec<NewDelivery> = rows.collect();
        given += store.insert_rows(&mut change.tx, consumer, &rows).await?;
        rest.from = last + 1;
        change.commit_rows().await?;
    }
}

/// When the event at this place of the replay is due.
fn due(start: DateTime<Utc>, place: u64, rate: f64) -> DateTime<Utc> {
    Duration::try_from_secs_f64(place as f64 / rate)
        .ok()
        .and_then(|wait| TimeDelta::from_std(wait).ok())
        .and_then(|wait| start.checked_add_signed(wait))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}
