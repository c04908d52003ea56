//! What people do to consumers while they run.

mod pause;
mod redrive;
mod replay;
mod reshard;
mod retire;
mod skip;

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{Emitted, Own, Registered, Registry};
use outbox_tests::{Db, Ping, wait};

async fn emit<R, DB: Db>(
    outbox: &TestOutbox<R, DB>,
    pings: impl IntoIterator<Item = Ping>,
) -> Result<Vec<Emitted>>
where
    R: Registry + Registered<Ping, Own>,
{
    let mut tx = outbox.begin().await?;
    let emitted = outbox.emit_all(&mut tx, pings).await?;
    tx.commit().await?;
    Ok(emitted)
}

/// So many pings, of as many keys.
fn pings(numbers: std::ops::Range<u64>, keys: u64) -> Vec<Ping> {
    numbers.map(|n| Ping::keyed(&format!("k{}", n % keys), n)).collect()
}

fn sorted(mut numbers: Vec<u64>) -> Vec<u64> {
    numbers.sort_unstable();
    numbers
}

/// Waits until nobody has a shard of a consumer.
async fn until_nobody_runs<R: Registry, DB: Db>(outbox: &TestOutbox<R, DB>, consumer: &str) {
    wait::until("all leases to be handed back", || async {
        let shards = outbox.shards(Some(consumer)).await.expect("the shards");
        shards.iter().all(|shard| shard.worker.is_none())
    })
    .await;
}

/// Waits until every shard of a consumer is run.
async fn until_all_run<R: Registry, DB: Db>(outbox: &TestOutbox<R, DB>, consumer: &str) {
    wait::until("all shards to be run", || async {
        let shards = outbox.shards(Some(consumer)).await.expect("the shards");
        !shards.is_empty() && shards.iter().all(|shard| shard.worker.is_some())
    })
    .await;
}
