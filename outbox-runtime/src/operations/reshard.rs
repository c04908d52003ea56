//! Changing the number of shards while workers run them.
//!
//! 1. The new number is noted. Every worker stops the consumer's shards where they are: what runs may
//!    finish and is recorded, so nothing comes twice.
//! 2. When all stand still, a *barrier* is set: a place in the log that none has passed. All go on as
//!    far as that and no further.
//! 3. When all are at the barrier, the new shards begin there, under checkpoints that any worker of
//!    the old ones collides with.
//!
//! The last shard to stop (see `worker/shard/barrier.rs`) takes step 2, the last one at the barrier
//! step 3. If it dies before, whoever takes its shard over says that it has stopped once more, and
//! takes the step then. Each step is one transaction, with the consumer's row locked. A paused
//! consumer waits with it: nobody runs its shards.

use super::Change;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Control, Ledger, Progress, Resharding, Store};

const RESHARD: &str = "change the number of shards";

/// More would only make every look at the fleet slower.
const MOST_SHARDS: u32 = 1_024;

pub(crate) async fn reshard<S: Store>(store: &S, consumer: &str, shards: u32) -> Result<()> {
    if !(1..=MOST_SHARDS).contains(&shards) {
        let message = format!("a consumer has 1 to {MOST_SHARDS} shards, not {shards}");
        return Err(Error::new(ErrorKind::InvalidOptions, RESHARD, message));
    }
    let mut change = Change::begin(store, RESHARD, consumer).await?;
    match &mut change.row.resharding {
        Some(resharding) => resharding.target = shards,
        None if change.row.shards == shards => return Ok(()),
        none => *none = Some(Resharding { target: shards, barrier: None }),
    }
    change.commit().await
}

/// Takes the next step if all shards have stopped; tells whether there is something new to do.
pub(crate) async fn meet<S: Store>(store: &S, consumer: &str) -> Result<bool> {
    match have_all_stopped(store, consumer).await? {
        Some(true) => {}
        Some(false) => return Ok(false),
        None => return Ok(true),
    }
    // Before the transaction: in one that has an id already, the mark would be wrong. And after the
    // look: of a shard that still ran when the log was marked, something could have been done that
    // lies beyond, and it would never be exactly at the barrier.
    let mark = store.progress_now().await?;
    let mut change = Change::begin(store, RESHARD, consumer).await?;
    let Some(resharding) = change.row.resharding.take() else { return Ok(true) };
    let ledgers = change.ledgers().await?;
    let stand_still = ledgers.iter().all(|ledger| ledger.drained);
    if !stand_still || ledgers.len() < change.row.shards as usize {
        return Ok(false);
    }
    match resharding.barrier {
        None => {
            // Nobody moves any more, so this is where they are. (A worker that slept through its
            // lease may believe that it does; it collides.)
            let ledgers = change.fences().await?;
            let barrier = Some(barrier(&ledgers, mark));
            change.row.resharding = Some(Resharding { barrier, ..resharding });
            change.commit().await?;
        }
        Some(barrier) => {
            let there = |ledger: &Ledger<S::Progress>| {
                ledger.progress == barrier && ledger.completed.is_empty()
            };
            if !ledgers.iter().all(there) {
                return Ok(false);
            }
            switch(change, resharding.target, &barrier).await?;
        }
    }
    Ok(true)
}

/// Whether nobody reads any more, which stays so until the next step; `None` where no change goes on.
async fn have_all_stopped<S: Store>(store: &S, consumer: &str) -> Result<Option<bool>> {
    let mut change = Change::begin(store, RESHARD, consumer).await?;
    if change.row.resharding.is_none() {
        return Ok(None);
    }
    let ledgers = change.ledgers().await?;
    let is_whole = ledgers.len() >= change.row.shards as usize;
    Ok(Some(is_whole && ledgers.iter().all(|ledger| ledger.drained)))
}

/// A place that no shard has passed: `mark`, or the end of a shard that began to read after it.
pub(super) fn barrier<P: Progress>(ledgers: &[Ledger<P>], mark: P) -> P {
    ledgers
        .iter()
        .map(|ledger| ledger.progress.end())
        .fold(mark, |barrier, end| if end.is_beyond(&barrier) { end } else { barrier })
}

/// Begins the new shards where the old ones have stopped.
async fn switch<S: Control>(
    mut change: Change<'_, S>,
    target: u32,
    barrier: &S::Progress,
) -> Result<()> {
    let (store, consumer, old) = (change.store, change.row.name.clone(), change.row.shards);
    for shard in 0..old.max(target) {
        match store.fence(&mut change.tx, &consumer, shard).await? {
            Some(_) if shard < old => {}
            // It has been a shard before, when there were more of them.
            Some(mut ledger) => {
                ledger.progress = barrier.clone();
                ledger.completed.clear();
                change.amend(&ledger).await?;
            }
            None => store.open_ledger(&mut change.tx, &consumer, shard, barrier).await?,
        }
    }
    store.drop_leases(&mut change.tx, &consumer, target).await?;
    change.row.shards = target;
    change.commit().await?;
    tracing::info!(consumer, from = old, to = target, "the number of shards has changed");
    Ok(())
}
