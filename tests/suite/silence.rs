//! Connections that fall silent: nobody answers, and nobody says that the connection is gone. Their
//! places in the pool are free again soon, so that a plain pool of sqlx serves a worker and its
//! application on (Postgres only).

use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{Outbox, Postgres, Worker, tidy_pool};
use outbox_tests::proxy::{Network, Proxy};
use outbox_tests::{Ping, Probe, Running, wait};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::consumers::Several;

/// How long the network is silent: several times what a worker waits for an answer.
const SILENCE: Duration = Duration::from_secs(2);

/// Works again for new connections; those that were open are silent for ever.
async fn fall_silent(proxy: &Proxy) {
    proxy.set(Network::Silent);
    // This is how long it lasts, not a wait for something.
    tokio::time::sleep(SILENCE).await;
    proxy.set(Network::Passes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_gets_every_place_in_its_pool_back_postgres() -> Result<()> {
    let outbox = TestOutbox::<Several, Postgres>::new().await?;
    let proxy = Proxy::to(outbox.database().url()).await;
    let pool = PgPoolOptions::new().max_connections(3);
    let pool = pool.connect(&proxy.url(outbox.database().url())).await?;
    let behind = Outbox::<Several, Postgres>::builder(pool).clock(outbox.clock().clone()).build();
    let probe = Probe::default();
    let often = Duration::from_millis(10);
    let worker = Worker::new(behind, probe.clone()).poll(often, often);
    let running = Running::worker(worker.answer_timeout(Duration::from_millis(200)));
    for round in 0..3_u64 {
        let mut tx = outbox.begin().await?;
        outbox.emit(&mut tx, Ping::new(round)).await?;
        tx.commit().await?;
        probe
            .until("the event", |seen| {
                seen.iter().any(|seen| seen.consumer == "plain" && seen.n == round)
            })
            .await;
        fall_silent(&proxy).await;
    }
    running.stop().await?;
    Ok(())
}

/// Whoever waits for the only connection of this pool gets it.
async fn is_served(pool: &PgPool) -> Result<()> {
    let served = sqlx::query("select 1").execute(pool);
    wait::for_signal("a connection", served).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_nobody_waits_for_any_more_gives_its_place_back_postgres() -> Result<()>
{
    let outbox = TestOutbox::<Several, Postgres>::new().await?;
    let proxy = Proxy::to(outbox.database().url()).await;
    let url = proxy.url(outbox.database().url());
    let pool = PgPoolOptions::new().max_connections(1).connect(&url).await?;
    let behind =
        Outbox::<Several, Postgres>::builder(pool.clone()).clock(outbox.clock().clone()).build();
    let mut tx = behind.begin().await?;
    proxy.set(Network::Silent);
    let emitting = behind.emit(&mut tx, Ping::new(1));
    let gave_up = tokio::time::timeout(Duration::from_millis(100), emitting).await;
    assert!(gave_up.is_err(), "somebody answered");
    drop(tx);
    fall_silent(&proxy).await;
    is_served(&pool).await
}

/// Whether it has begun is not known, and nobody will ever say.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_begin_that_nobody_waits_for_any_more_gives_its_place_back_postgres() -> Result<()> {
    let outbox = TestOutbox::<Several, Postgres>::new().await?;
    let proxy = Proxy::to(outbox.database().url()).await;
    let url = proxy.url(outbox.database().url());
    // The pool would notice by itself, and wait for as long as it waits for a place.
    let pool = PgPoolOptions::new().max_connections(1).test_before_acquire(false);
    let pool = pool.connect(&url).await?;
    let behind =
        Outbox::<Several, Postgres>::builder(pool.clone()).clock(outbox.clock().clone()).build();
    proxy.set(Network::Silent);
    let gave_up = tokio::time::timeout(Duration::from_millis(100), behind.begin()).await;
    assert!(gave_up.is_err(), "somebody answered");
    fall_silent(&proxy).await;
    is_served(&pool).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tidy_pool_lets_go_of_a_silent_connection_postgres() -> Result<()> {
    let outbox = TestOutbox::<Several, Postgres>::new().await?;
    let proxy = Proxy::to(outbox.database().url()).await;
    let url = proxy.url(outbox.database().url());
    let pool = tidy_pool(PgPoolOptions::new().max_connections(1)).connect(&url).await?;
    let connection = pool.acquire().await?;
    proxy.set(Network::Silent);
    drop(connection);
    fall_silent(&proxy).await;
    is_served(&pool).await
}
