//! Changing the number of shards while workers run them.
//!
//! First a *barrier* is set: a progress that no shard is beyond. All old shards go on as far as that
//! and stop (see `worker/shard/barrier.rs`). Whoever finds all of them there switches: the new shards
//! begin at the barrier, under new checkpoints that any worker of the old ones collides with.
//!
//! | dies between | then |
//! | --- | --- |
//! | setting the barrier | nothing was changed |
//! | the barrier and the switch | workers go on towards it; the last one there switches |
//! | the last shard's checkpoint and the switch | whoever takes that shard over switches |
//!
//! A paused consumer waits with it: nobody runs its shards.

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
    // Before the transaction: in one that has an id already, the mark would be wrong.
    let now = store.progress_now().await?;
    let mut change = Change::begin(store, RESHARD, consumer).await?;
    match &mut change.row.resharding {
        Some(resharding) => resharding.target = shards,
        None if change.row.shards == shards => return Ok(()),
        None => {
            let ledgers = change.fences().await?;
            let barrier = barrier(&ledgers, now);
            change.row.resharding = Some(Resharding { target: shards, barrier });
        }
    }
    change.commit().await
}

/// The end of the shard that has come farthest, or `mark`.
pub(super) fn barrier<P: Progress>(ledgers: &[Ledger<P>], mark: P) -> P {
    ledgers
        .iter()
        .map(|ledger| ledger.progress.end())
        .fold(mark, |barrier, end| if end.is_beyond(&barrier) { end } else { barrier })
}

/// Switches to the new shards if all old ones have come to the barrier; tells whether there is no
/// barrier any more.
pub(crate) async fn switch_shards<S: Control>(store: &S, consumer: &str) -> Result<bool> {
    let mut change = Change::begin(store, RESHARD, consumer).await?;
    let Some(Resharding { target, barrier }) = change.row.resharding.take() else {
        return Ok(true);
    };
    let old = change.row.shards;
    let there =
        |ledger: &Ledger<S::Progress>| ledger.progress == barrier && ledger.completed.is_empty();
    let ledgers = change.ledgers().await?;
    if !ledgers.iter().all(|ledger| ledger.drained && there(ledger)) || ledgers.len() < old as usize
    {
        return Ok(false);
    }
    for shard in 0..old.max(target) {
        match store.fence(&mut change.tx, consumer, shard).await? {
            // It was there a moment ago, and nothing runs in a shard that is taken over there.
            Some(ledger) if shard < old => debug_assert!(there(&ledger)),
            // It has been a shard before, when there were more of them.
            Some(mut ledger) => {
                ledger.progress = barrier.clone();
                ledger.completed.clear();
                change.amend(&ledger).await?;
            }
            None => store.open_ledger(&mut change.tx, consumer, shard, &barrier).await?,
        }
    }
    store.drop_leases(&mut change.tx, consumer, target).await?;
    change.row.shards = target;
    change.commit().await?;
    tracing::info!(consumer, from = old, to = target, "the number of shards has changed");
    Ok(true)
}
