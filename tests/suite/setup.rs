//! Migrations, namespaces, and databases that are not as they should be.

use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::{TestBackend, TestDatabase, TestOutbox};
use outbox_runtime::{ErrorKind, Outbox, Worker};
use outbox_tests::{Db, Ping, Probe};
use sqlx::Pool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::SqlitePoolOptions;

use crate::consumers::Plain;

crate::both! {
    migrating_again_changes_nothing,
    processes_can_migrate_at_once,
    the_applications_own_migrations_are_left_alone,
    two_outboxes_live_side_by_side,
    a_newer_format_is_refused,
    an_older_format_is_to_be_migrated,
    without_tables_every_call_says_so,
    a_transaction_of_another_database_is_told_to_migrate,
}

async fn migrating_again_changes_nothing<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, Ping::new(1)).await?;
    tx.commit().await?;
    outbox.migrate().await?;
    outbox.migrate().await?;
    assert_eq!(outbox.emitted::<Ping>().await?, [Ping::new(1)]);
    let meta = format!("select count(*) from {}", DB::table("meta"));
    assert_eq!(DB::number(outbox.pool(), &meta).await?, 1);
    Ok(())
}

async fn processes_can_migrate_at_once<DB: Db>() -> Result<()> {
    let database = TestDatabase::<DB>::create().await?;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..6 {
        // As separate processes: each with connections of its own.
        let pool = Pool::<DB>::connect(database.url()).await?;
        tasks.spawn(async move { Outbox::<Plain, DB>::new(pool).migrate().await });
    }
    for migrated in tasks.join_all().await {
        migrated?;
    }
    let outbox = Outbox::<Plain, DB>::new(database.pool().clone());
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, Ping::new(1)).await?;
    tx.commit().await?;
    let probe = Probe::default();
    Worker::new(outbox, probe.clone()).drain().await?;
    assert_eq!(probe.numbers("plain"), [1]);
    Ok(())
}

async fn the_applications_own_migrations_are_left_alone<DB: Db>() -> Result<()> {
    let database = TestDatabase::<DB>::create().await?;
    let pool = database.pool();
    // As sqlx makes it.
    DB::execute(
        pool,
        "create table _sqlx_migrations (version bigint primary key, description text not null, \
         success boolean not null)",
    )
    .await?;
    DB::execute(pool, "insert into _sqlx_migrations values (1, 'create outbox', true)").await?;
    DB::execute(pool, "create table event (id int)").await?;
    for namespace in ["outbox", "shop_events"] {
        let outbox = Outbox::<Plain, DB>::builder(pool.clone()).namespace(namespace)?.build();
        outbox.migrate().await?;
        let mut tx = outbox.begin().await?;
        outbox.emit(&mut tx, Ping::new(1)).await?;
        tx.commit().await?;
        let event = DB::table_in(namespace, "event");
        assert_eq!(DB::number(pool, &format!("select count(*) from {event}")).await?, 1);
    }
    assert_eq!(DB::number(pool, "select count(*) from _sqlx_migrations").await?, 1);
    assert_eq!(DB::number(pool, "select count(*) from event").await?, 0);
    Ok(())
}

async fn two_outboxes_live_side_by_side<DB: Db>() -> Result<()> {
    let database = TestDatabase::<DB>::create().await?;
    let outbox = |namespace: &str| -> Result<Outbox<Plain, DB>> {
        Ok(Outbox::builder(database.pool().clone()).namespace(namespace)?.build())
    };
    // One name is the beginning of the other.
    let (shop, shop_2) = (outbox("shop")?, outbox("shop_2")?);
    shop.migrate().await?;
    shop_2.migrate().await?;
    let mut tx = shop.begin().await?;
    shop.emit(&mut tx, Ping::new(1)).await?;
    shop_2.emit(&mut tx, Ping::new(2)).await?;
    tx.commit().await?;
    for (outbox, n) in [(shop, 1), (shop_2, 2)] {
        let probe = Probe::default();
        let tally = Worker::new(outbox.clone(), probe.clone()).drain().await?;
        assert_eq!((probe.numbers("plain"), tally.handled), (vec![n], 1));
        assert_eq!(outbox.stats().await?[0].handled, 1);
    }
    Ok(())
}

async fn a_newer_format_is_refused<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let sql = format!("update {} set format_version = 1000", DB::table("meta"));
    DB::execute(outbox.pool(), &sql).await?;
    let worker = || Worker::new(outbox.outbox().clone(), Probe::default());
    for error in [
        outbox.migrate().await.expect_err("a newer format"),
        worker().drain().await.expect_err("a newer format"),
        worker().run_until(std::future::pending()).await.expect_err("a newer format"),
    ] {
        assert_eq!(error.kind(), ErrorKind::FormatTooNew, "{error}");
        assert!(error.to_string().contains("format 1000"), "{error}");
    }
    let sql = format!("select format_version from {}", DB::table("meta"));
    let sql = sql.replace("format_version from", "cast(format_version as bigint) from");
    assert_eq!(DB::number(outbox.pool(), &sql).await?, 1000);
    Ok(())
}

async fn an_older_format_is_to_be_migrated<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let sql = format!("update {} set format_version = 0", DB::table("meta"));
    DB::execute(outbox.pool(), &sql).await?;
    let error = outbox.drain(Probe::default()).await.expect_err("an older format");
    assert_eq!(error.kind(), ErrorKind::NotMigrated, "{error}");
    assert!(error.to_string().contains("format 0"), "{error}");
    Ok(())
}

async fn without_tables_every_call_says_so<DB: Db>() -> Result<()> {
    let database = TestDatabase::<DB>::create().await?;
    let outbox = Outbox::<Plain, DB>::new(database.pool().clone());
    let mut tx = outbox.begin().await?;
    let all = outbox_runtime::DeliveryFilter::all();
    for error in [
        outbox.emit(&mut tx, Ping::new(1)).await.expect_err("no tables"),
        outbox.events(&outbox_runtime::EventFilter::all()).await.expect_err("no tables"),
        outbox.stats().await.expect_err("no tables"),
        outbox.deliveries(&all).await.expect_err("no tables"),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotMigrated, "{error}");
        assert!(error.to_string().contains("Outbox::migrate()"), "{error}");
    }
    tx.rollback().await?;
    for error in [
        outbox.redrive(&all).await.expect_err("no tables"),
        outbox.discard(&all).await.expect_err("no tables"),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotMigrated, "{error}");
    }
    Ok(())
}

async fn a_transaction_of_another_database_is_told_to_migrate<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let other = TestDatabase::<DB>::create().await?;
    let mut tx = other.pool().begin().await?;
    let error = outbox.emit(&mut tx, Ping::new(1)).await.expect_err("another database");
    assert_eq!(error.kind(), ErrorKind::NotMigrated, "{error}");
    assert_eq!(error.operation(), "emit");
    assert!(error.to_string().contains("Outbox::migrate()"), "{error}");
    tx.rollback().await?;
    assert!(outbox.emitted::<Ping>().await?.is_empty());
    Ok(())
}

async fn refused<DB: TestBackend>(pool: Pool<DB>) -> ErrorKind {
    let outbox = Outbox::<Plain, DB>::new(pool);
    let kind = outbox.migrate().await.expect_err("no database").kind();
    let begun = outbox.begin().await.map(drop).expect_err("no database");
    assert_eq!(begun.kind(), kind, "{begun}");
    let worked = Worker::new(outbox, Probe::default()).drain().await.expect_err("no database");
    assert_eq!(worked.kind(), kind, "{worked}");
    kind
}

fn few() -> PgPoolOptions {
    PgPoolOptions::new().acquire_timeout(Duration::from_secs(5))
}

#[tokio::test]
async fn a_wrong_password_role_or_database_is_access_denied_postgres() -> Result<()> {
    let database = TestDatabase::<outbox_runtime::Postgres>::create().await?;
    let options: PgConnectOptions = database.url().parse()?;
    for wrong in [
        options.clone().password("wrong"),
        options.clone().username("nobody"),
        options.clone().database("nothing"),
    ] {
        let pool = few().connect_lazy_with(wrong);
        assert_eq!(refused(pool).await, ErrorKind::AccessDenied);
    }
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_postgres() -> Result<()> {
    let database = TestDatabase::<outbox_runtime::Postgres>::create().await?;
    let options: PgConnectOptions = database.url().parse()?;
    // Nobody listens on a port that was just given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let pool = PgPoolOptions::new()
        .acquire_timeout(Duration::from_millis(500))
        .connect_lazy_with(options.port(port));
    assert_eq!(refused(pool).await, ErrorKind::Unavailable);
    Ok(())
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_unavailable_sqlite() -> Result<()> {
    let pool = SqlitePoolOptions::new().connect_lazy("sqlite:/nowhere/at/all.db")?;
    assert_eq!(refused(pool).await, ErrorKind::Unavailable);
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_no_database_is_told_sqlite() -> Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(
        file.path(),
        "This is a letter to a friend, and no database at all.".repeat(100),
    )?;
    let pool = SqlitePoolOptions::new().connect_lazy(&file.path().to_string_lossy())?;
    assert_eq!(refused(pool).await, ErrorKind::Database);
    Ok(())
}
