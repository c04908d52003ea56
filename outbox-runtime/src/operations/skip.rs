//! Moving a consumer on in the log, past what it is not to handle.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Change, reshard};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Position;
use crate::store::{Ledger, Store};

const SKIP: &str = "skip";

/// What a consumer is not to handle any more.
#[derive(Clone, Debug)]
pub struct Skip(What);

#[derive(Clone, Debug)]
enum What {
    Everything,
    Below(Position),
    Before(DateTime<Utc>),
    Event(Uuid),
}

impl Skip {
    /// Everything that is committed by now and was not read yet.
    #[must_use]
    pub fn to_now() -> Self {
        Self(What::Everything)
    }

    /// What is committed by now and lies before this position.
    #[must_use]
    pub fn to_position(position: Position) -> Self {
        Self(What::Below(position))
    }

    /// What is committed by now and lies before the first event of this time or later.
    #[must_use]
    pub fn to_time(time: DateTime<Utc>) -> Self {
        Self(What::Before(time))
    }

    /// One event, whether it waits in the log or has a delivery row (dead letters too).
    #[must_use]
    pub fn event(id: Uuid) -> Self {
        Self(What::Event(id))
    }
}

/// Returns how many events are skipped.
pub(crate) async fn skip<S: Store>(store: &S, consumer: &str, skip: &Skip) -> Result<u64> {
    // Before the transaction: in one that has an id already, the mark would be wrong.
    let now = store.progress_now().await?;
    let mut change = Change::begin(store, SKIP, consumer).await?;
    let to = match skip.0 {
        What::Everything => Position::MAX,
        What::Below(position) => position,
        What::Before(time) => {
            store.position_since(&mut change.tx, time).await?.unwrap_or(Position::MAX)
        }
        What::Event(id) => return skip_event(change, id).await,
    };
    let mut ledgers = change.fences().await?;
    let mut skipped = 0;
    for ledger in &mut ledgers {
        skipped += count(&mut change, ledger).await?;
        ledger.skip(to, &now);
        skipped -= count(&mut change, ledger).await?.min(skipped);
        change.amend(ledger).await?;
    }
    // No shard may be beyond the place where all of them stop.
    let barrier = change.row.resharding.as_mut().and_then(|change| change.barrier.as_mut());
    if let Some(barrier) = barrier {
        *barrier = reshard::barrier(&ledgers, barrier.clone());
    }
    change.commit().await?;
    Ok(skipped)
}

async fn count<S: Store>(change: &mut Change<'_, S>, ledger: &Ledger<S::Progress>) -> Result<u64> {
    change.store.count_unhandled(&mut change.tx, &change.row, ledger).await
}

/// A row is deleted; an event that was not read yet is noted as handled.
async fn skip_event<S: Store>(mut change: Change<'_, S>, id: Uuid) -> Result<u64> {
    let consumer = change.row.name.clone();
    if change.store.delete_delivery(&mut change.tx, &consumer, id).await? {
        change.commit().await?;
        return Ok(1);
    }
    let place = change.store.place_of(&mut change.tx, id).await?;
    let Some((position, key_hash, _)) = place.filter(|(_, _, name)| *name == change.row.event_name)
    else {
        let message = format!("`{consumer}` takes no event {id}: it is not in the log");
        return Err(Error::new(ErrorKind::NotFound, SKIP, message));
    };
    let shard = crate::key::shard_of(key_hash, change.row.shards);
    let ledger = change.store.fence(&mut change.tx, &consumer, shard).await?;
    let Some(mut ledger) = ledger else { return Ok(0) };
    let before = count(&mut change, &ledger).await?;
    ledger.completed.push(position);
    ledger.completed.sort_unstable();
    ledger.completed.dedup();
    if count(&mut change, &ledger).await? == before {
        let message = format!("`{consumer}` has handled event {id} already");
        return Err(Error::new(ErrorKind::NotFound, SKIP, message));
    }
    change.amend(&ledger).await?;
    change.commit().await?;
    Ok(1)
}
