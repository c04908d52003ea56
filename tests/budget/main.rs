//! What an event may cost, counted and not timed: a change that makes it dearer fails here, with the
//! figure. (How fast that is, `cargo xtask bench` says.)
//!
//! A figure is what 2,000 events cost more than 1,000, for each (in `head.rs`, where each waits for the one before,
//! what 1,000 cost; in `idle.rs` there are none, and it is of renewals): what a worker costs by itself, whatever
//! it handles, cancels out. What is over the budget is counted again a few times, and the least counts:
//! a machine that stands still for a moment makes a worker record and signal more often. The server is the
//! test's own, since Postgres counts its write-ahead log and its transaction ids for all databases
//! together.

mod costs;
mod head;
mod idle;
mod stage;

use anyhow::Result;
use outbox_runtime::{Consumers, Delivery, ListedIn, Own, Postgres, consumer, registry};
use outbox_tests::Ping;
use tokio::sync::Mutex;

use costs::Costs;
use stage::Stage;

/// What is used of the heap, of this whole process.
#[global_allocator]
static HEAP: &stats_alloc::StatsAlloc<std::alloc::System> = &stats_alloc::INSTRUMENTED_SYSTEM;

/// A transaction with one event of some 20 bytes: `begin`, the event, `commit`. And a `NOTIFY` in a
/// transaction of its own, at most every 5 ms, so on the slowest machine one for each.
const EMIT: Costs = Costs {
    statements: 4.0,
    rows: 1.0,
    dead_rows: 0.0,
    wal_bytes: 750.0,
    transaction_ids: 2.0,
    allocations: 45.0,
    scans: 0.0,
};

/// A delivery of one of 100 events of a page, which is read with one statement for all consumers. 500 of
/// them, or what was done in 50 ms, are recorded with one row of each, whose connection is asked first.
fn delivery(consumers: u32) -> Costs {
    let shared = 1.0 / f64::from(consumers);
    Costs {
        statements: 0.006 + 0.018 * shared,
        rows: 0.006,
        dead_rows: 0.0,
        wal_bytes: 3.0,
        transaction_ids: 0.006,
        allocations: 4.0 + 7.0 * shared,
        scans: 0.05 * shared,
    }
}

macro_rules! consumers {
    ($($function:ident $name:literal),* $(,)?) => {
        $(
            #[consumer(name = $name, start = beginning)]
            async fn $function(_ping: Delivery<Ping>) {}
        )*
    };
}

consumers! {
    one "one", two "two", three "three", four "four", five "five",
    six "six", seven "seven", eight "eight", nine "nine", ten "ten",
}

registry! {
    /// One consumer.
    struct One;
    events: [Ping],
    consumers: [one],
}

registry! {
    /// Four consumers.
    struct Four;
    events: [Ping],
    consumers: [one, two, three, four],
}

registry! {
    /// Ten consumers.
    struct Ten;
    events: [Ping],
    consumers: [one, two, three, four, five, six, seven, eight, nine, ten],
}

const FEW: u64 = 1_000;
const MANY: u64 = 2_000;

/// Held by whoever counts: where tests run beside one another in one process, they share its heap.
static COUNTING: Mutex<()> = Mutex::const_new(());

/// How often it is counted at most.
const TRIES: u32 = 12;

/// What is over the budget with the registry's consumers, of which there are so many.
async fn over_budget<R>(stage: &Stage, consumers: u32) -> Result<Vec<String>>
where
    R: Consumers<Postgres, State = ()>,
    Ping: ListedIn<R, Own>,
{
    let database = stage.database::<R>(&format!("for_{consumers}")).await?;
    let each = (MANY - FEW) as f64;
    let mut emit = Costs::MOST;
    let mut delivery = Costs::MOST;
    let mut over = Vec::new();
    for _ in 0..TRIES {
        let emitted = database.emits(MANY).await? - database.emits(FEW).await?;
        emit = emit.or_less(&(emitted / each));
        let delivered = database.delivers(MANY).await? - database.delivers(FEW).await?;
        delivery = delivery.or_less(&(delivered / (each * f64::from(consumers))));
        println!("with {consumers} consumers, an emit: {emit}; a delivery: {delivery}");
        over = emit.over("an emit", &EMIT);
        over.extend(delivery.over("a delivery", &self::delivery(consumers)));
        if over.is_empty() {
            break;
        }
    }
    Ok(over.into_iter().map(|over| format!("with {consumers} consumers {over}")).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_costs_of_an_event_keep_within_the_budget_postgres() -> Result<()> {
    let _counting = COUNTING.lock().await;
    let stage = Stage::start().await;
    let mut over = over_budget::<One>(&stage, 1).await?;
    over.extend(over_budget::<Four>(&stage, 4).await?);
    over.extend(over_budget::<Ten>(&stage, 10).await?);
    assert!(over.is_empty(), "dearer than the budget allows:\n{}", over.join("\n"));
    Ok(())
}
