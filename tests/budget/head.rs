//! Events that come one by one: each is read once for all consumers, however many they take at once.

use std::sync::LazyLock;

use anyhow::Result;
use outbox_runtime::{Batch, Consumers, Delivery, ListedIn, Own, Postgres, consumer, registry};
use outbox_tests::Ping;
use tokio::sync::watch;

use crate::costs::Costs;
use crate::stage::Stage;
use crate::{COUNTING, FEW, TRIES};

/// How often consumers were called.
static HANDLED: LazyLock<watch::Sender<u64>> = LazyLock::new(watch::Sender::default);

fn handle(count: usize) {
    HANDLED.send_modify(|handled| *handled += count as u64);
}

#[consumer(name = "single", start = beginning)]
async fn single(_ping: Delivery<Ping>) {
    handle(1);
}

#[consumer(name = "other", start = beginning)]
async fn other(_ping: Delivery<Ping>) {
    handle(1);
}

/// A full one takes more than are expected where few came before.
#[consumer(name = "batches", start = beginning, batch(max = 500, wait = "1ms"))]
async fn batches(pings: Batch<Ping>) {
    handle(pings.len());
}

#[consumer(name = "small_batches", start = beginning, batch(max = 50, wait = "1ms"))]
async fn small_batches(pings: Batch<Ping>) {
    handle(pings.len());
}

registry! {
    struct Alone;
    events: [Ping],
    consumers: [single],
}

registry! {
    struct Beside;
    events: [Ping],
    consumers: [single, other, batches, small_batches],
}

/// Scans of the log for each event, at best.
async fn scans<R>(stage: &Stage, name: &str, consumers: u64, enough: f64) -> Result<f64>
where
    R: Consumers<Postgres, State = ()>,
    Ping: ListedIn<R, Own>,
{
    let database = stage.database::<R>(name).await?;
    let mut least = Costs::MOST;
    for _ in 0..TRIES {
        let costs = database.delivers_one_by_one(FEW, &HANDLED, consumers).await? / FEW as f64;
        println!("with {consumers} consumers, an event: {costs}");
        least = least.or_less(&costs);
        if least.scans <= enough {
            break;
        }
    }
    Ok(least.scans)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_reads_at_the_head_for_consumers_of_all_kinds_postgres() -> Result<()> {
    let _counting = COUNTING.lock().await;
    let stage = Stage::start().await;
    let alone = scans::<Alone>(&stage, "alone", 1, 1.5).await?;
    // Each for itself they need more than five times as many.
    let most = 2.5 * alone;
    let beside = scans::<Beside>(&stage, "beside", 4, most).await?;
    assert!(beside <= most, "{beside} scans for four consumers, {alone} for one");
    Ok(())
}
