//! The database fails, and is another one when it answers again, or takes nothing: what a worker has
//! read may have to be read again, so until it knows, it begins nothing (Postgres only).

use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{
    Batch, Consumers, Delivery, Outbox, Own, Postgres, Registered, Registry, State, Worker,
    consumer, registry,
};
use outbox_tests::proxy::{Network, Proxy};
use outbox_tests::{Db, Ping, Probe, Running, wait};
use rustix::time::{ClockId, clock_gettime};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

const EVENTS: u64 = 400;

/// Longer than the longest pause between two tries.
const MORE_THAN_A_PAUSE: Duration = Duration::from_secs(4);

#[consumer(name = "leisurely", start = beginning, concurrency = 1)]
async fn leisurely(ping: Delivery<Ping>, State(probe): State<Probe>) {
    probe.note("leisurely", &ping);
    tokio::time::sleep(Duration::from_millis(20)).await;
}

registry! {
    struct Leisurely;
    state: Probe,
    events: [Ping],
    consumers: [leisurely],
}

#[consumer(name = "in-pairs", start = beginning, batch(max = 2, wait = "1ms"), concurrency = 1)]
async fn in_pairs(pings: Batch<Ping>, State(probe): State<Probe>) {
    for ping in &pings {
        probe.note("in-pairs", ping);
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
}

registry! {
    struct InPairs;
    state: Probe,
    events: [Ping],
    consumers: [in_pairs],
}

async fn emit<R>(outbox: &TestOutbox<R, Postgres>) -> Result<()>
where
    R: Registry + Registered<Ping, Own>,
{
    let mut tx = outbox.begin().await?;
    outbox.emit_all(&mut tx, (0..EVENTS).map(Ping::new)).await?;
    Ok(tx.commit().await?)
}

/// A worker whose database can be made silent.
async fn behind<R>(
    outbox: &TestOutbox<R, Postgres>,
    probe: &Probe,
) -> Result<(Proxy, Worker<R, Postgres>)>
where
    R: Consumers<Postgres> + Registry<State = Probe>,
{
    let proxy = Proxy::to(outbox.database().url()).await;
    let pool = PgPoolOptions::new().max_connections(3);
    let pool = pool.connect(&proxy.url(outbox.database().url())).await?;
    let behind = Outbox::<R, Postgres>::builder(pool).build();
    Ok((proxy, Worker::new(behind, probe.clone()).lease(Duration::from_secs(60))))
}

async fn until_all(probe: &Probe) {
    probe.until("the last event", |seen| seen.iter().any(|seen| seen.n == EVENTS - 1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_begins_while_the_database_does_not_answer_postgres() -> Result<()> {
    let outbox = TestOutbox::<Leisurely, Postgres>::new().await?;
    emit(&outbox).await?;
    let probe = Probe::default();
    let (proxy, worker) = behind(&outbox, &probe).await?;
    let running = Running::worker(worker.answer_timeout(Duration::from_millis(100)));
    probe.until("some events", |seen| seen.len() >= 10).await;
    proxy.set(Network::Silent);
    // Long enough for it to know, and then for at least one more try: not waits for something.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = probe.seen().len();
    tokio::time::sleep(MORE_THAN_A_PAUSE).await;
    let after = probe.seen().len();
    assert!(before < EVENTS as usize, "the silence came too late");
    assert_eq!(before, after);
    proxy.set(Network::Passes);
    until_all(&probe).await;
    running.stop().await?;
    Ok(())
}

/// Nothing can be recorded from now on, which is known after a read has been answered; how often it
/// was tried is counted.
const REFUSE: &str = "
create sequence refused;
create function refuse() returns trigger language plpgsql as $$
begin
    perform nextval('refused'), pg_sleep(0.1);
    raise exception 'no room';
end $$;
create trigger refuse before insert on outbox.checkpoint execute function refuse();
";

async fn until_refused(pool: &PgPool, times: i64) {
    let refused = "select case when is_called then last_value else 0 end from refused";
    wait::until("records that are refused", async || {
        Postgres::number(pool, refused).await.is_ok_and(|count| count >= times)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_begins_while_nothing_can_be_recorded_postgres() -> Result<()> {
    let outbox = TestOutbox::<Leisurely, Postgres>::new().await?;
    emit(&outbox).await?;
    let probe = Probe::default();
    let running = Running::start(&outbox, probe.clone());
    probe.until("some events", |seen| seen.len() >= 10).await;
    sqlx::raw_sql(REFUSE).execute(outbox.pool()).await?;
    // It reads all the while.
    until_refused(outbox.pool(), 2).await;
    let before = probe.seen().len();
    until_refused(outbox.pool(), 6).await;
    let after = probe.seen().len();
    assert!(before < EVENTS as usize, "the refusal came too late");
    assert_eq!(before, after);
    sqlx::raw_sql("drop trigger refuse on outbox.checkpoint").execute(outbox.pool()).await?;
    until_all(&probe).await;
    running.stop().await?;
    let mut numbers: Vec<u64> = probe.seen().iter().map(|seen| seen.n).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..EVENTS).collect::<Vec<_>>(), "each once");
    Ok(())
}

/// What this process, in which nothing else runs but this test, has used of the processors.
fn processor_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().expect("time that has passed")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_due_batch_that_may_not_begin_waits_without_a_processor_postgres() -> Result<()> {
    const ASKS_FOR: Duration = Duration::from_secs(5);
    let outbox = TestOutbox::<InPairs, Postgres>::new().await?;
    emit(&outbox).await?;
    let probe = Probe::default();
    let (proxy, worker) = behind(&outbox, &probe).await?;
    let running = Running::worker(worker.answer_timeout(ASKS_FOR));
    probe.until("some events", |seen| seen.len() >= 10).await;
    proxy.set(Network::Silent);
    // It waits for the answer that does not come, and then for that to the next try: not waits for
    // something.
    tokio::time::sleep(ASKS_FOR + Duration::from_secs(1)).await;
    let before = processor_time();
    tokio::time::sleep(ASKS_FOR / 2).await;
    let used = processor_time() - before;
    // One that looks again and again uses all of one, as far as others leave it.
    assert!(used < ASKS_FOR / 10, "{used:?} of the processors");
    proxy.set(Network::Passes);
    until_all(&probe).await;
    running.stop().await?;
    Ok(())
}
