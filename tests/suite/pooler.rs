//! Behind PgBouncer in transaction mode, where every transaction may get another server connection
//! (Postgres only).

mod life;

use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestDatabase;
use outbox_runtime::{ErrorKind, Outbox, Postgres, Registry, Worker};
use outbox_tests::{Db, Log, PgBouncer, Ping, Probe, Running, wait};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::consumers::Plain;

/// A pool that goes through a pooler, as a process of its own has one.
fn through(options: PgConnectOptions, connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(wait::DEADLINE)
        .connect_lazy_with(options.application_name("bounced"))
}

/// An outbox in a process of its own, told of the pooler.
fn told<R: Registry>(pool: PgPool) -> Outbox<R, Postgres> {
    Outbox::builder(pool).poll_only().build()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outbox_that_was_not_told_of_a_pooler_says_what_to_do_postgres() -> Result<()> {
    let database = TestDatabase::<Postgres>::create().await?;
    // One server connection, so that all of them meet there.
    let pooler = PgBouncer::start(1, "")?;
    let process = || -> Result<Outbox<Plain, Postgres>> {
        Ok(Outbox::new(through(pooler.options(&database)?, 1)))
    };
    // The first process leaves the names of its statements on the server connection.
    let first = process()?;
    first.migrate().await?;
    let mut tx = first.begin().await?;
    first.emit(&mut tx, Ping::new(1)).await?;
    tx.commit().await?;
    // The next one uses the same names.
    let second = process()?;
    let mut tx = second.begin().await?;
    let emitted = second.emit(&mut tx, Ping::new(2)).await.map(drop);
    tx.rollback().await?;
    let counted = process()?.stats().await.map(drop);
    let worked = Worker::new(process()?, Probe::default()).drain().await.map(drop);
    for refused in [emitted, counted, worked] {
        let error = refused.expect_err("a name that is taken");
        assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
        assert!(error.to_string().contains("OutboxBuilder::poll_only()"), "{error}");
    }
    Ok(())
}

/// On one thread, since the log is that thread's.
#[tokio::test]
async fn a_worker_that_was_not_told_of_a_pooler_finds_out_postgres() -> Result<()> {
    let (log, _guard) = Log::capture();
    let database = TestDatabase::<Postgres>::create().await?;
    let pooler = PgBouncer::start(2, "")?;
    // Alone and with one connection, even named statements work.
    let outbox = Outbox::<Plain, Postgres>::new(through(pooler.options(&database)?, 1));
    outbox.migrate().await?;
    let probe = Probe::default();
    let running = Running::worker(Worker::new(outbox, probe.clone()));
    wait::until("the worker to notice", async || {
        let said = log.lines("a connection pooler in transaction mode is between this worker");
        said.len() == 1 && said[0].contains("ERROR") && said[0].contains("poll_only()")
    })
    .await;
    running.stop().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_startup_parameter_that_pgbouncer_refuses_is_explained_postgres() -> Result<()> {
    let database = TestDatabase::<Postgres>::create().await?;
    let pooler = PgBouncer::start(2, "ignore_startup_parameters =")?;
    let options = pooler.options(&database)?;
    let outbox = told::<Plain>(through(options.clone(), 1));
    let error = outbox.migrate().await.expect_err("a parameter that is not known");
    assert!(error.to_string().contains("extra_float_digits(None)"), "{error}");
    // And the advice is right.
    let outbox = told::<Plain>(through(options.extra_float_digits(None), 1));
    outbox.migrate().await?;
    Ok(())
}

/// In session mode a client keeps its server connection, so that everything works as without.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_in_session_mode_needs_nothing_special_postgres() -> Result<()> {
    let database = TestDatabase::<Postgres>::create().await?;
    let pooler = PgBouncer::start(30, "pool_mode = session")?;
    let process = || -> Result<Outbox<Plain, Postgres>> {
        Ok(Outbox::new(through(pooler.options(&database)?, 4)))
    };
    let outbox = process()?;
    outbox.migrate().await?;
    let probe = Probe::default();
    let hour = Duration::from_secs(3600);
    let running = Running::worker(Worker::new(process()?, probe.clone()).poll(hour, hour));
    let listening = "select count(*) from pg_stat_activity
                     where datname = current_database() and query ilike 'listen %'";
    wait::until("the worker to listen", async || {
        Postgres::number(database.pool(), listening).await.is_ok_and(|count| count == 1)
    })
    .await;
    for n in 0..5 {
        let mut tx = outbox.begin().await?;
        outbox.emit(&mut tx, Ping::new(n)).await?;
        tx.commit().await?;
        probe.until_called("plain", n as usize + 1).await;
    }
    running.stop().await?;
    Ok(())
}
