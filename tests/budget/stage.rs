//! A server on which nothing else happens, and what is done and counted on it.

use std::marker::PhantomData;
use std::time::Duration;

use anyhow::Result;
use outbox_runtime::{Consumers, ListedIn, Outbox, Own, Postgres, Worker};
use outbox_tests::{Cluster, Db, Ping, Running, Tap, wait};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::watch;

use crate::HEAP;
use crate::costs::Costs;

/// The most events that are read at once.
const PAGE: u32 = 100;

/// Counts from one.
const COUNT_RENEWALS: &str = "
drop sequence if exists renewals cascade;
create sequence renewals;
create or replace function count_renewal() returns trigger language plpgsql as $$
    begin perform nextval('public.renewals'); return new; end $$;
create or replace trigger count_renewal before update on outbox.worker
    for each row execute function count_renewal();
";

/// A server on which nothing else happens.
pub(crate) struct Stage(Cluster);

/// A database of it.
pub(crate) struct Database<R> {
    tap: Tap,
    url: String,
    counts: PgPool,
    registry: PhantomData<R>,
}

impl Stage {
    pub(crate) async fn start() -> Self {
        Self(Cluster::start().await)
    }

    /// A new database with the tables and the consumers of a registry.
    pub(crate) async fn database<R: Consumers<Postgres, State = ()>>(
        &self,
        name: &str,
    ) -> Result<Database<R>> {
        let server = PgPool::connect(&self.0.url()).await?;
        let settings = [
            // Whatever vacuum writes is nobody's.
            "alter system set autovacuum = off",
            // How many commits share a notification is not to be a matter of how fast the disk is.
            "alter system set synchronous_commit = off",
            "select pg_reload_conf()",
        ];
        for statement in settings {
            Postgres::execute(&server, statement).await?;
        }
        Postgres::execute(&server, &format!("create database {name}")).await?;
        let url = self.0.url_of(name);
        let counts = PgPoolOptions::new().max_connections(1).connect(&url).await?;
        let tap = Tap::to(&url).await;
        let database = Database { tap, url, counts, registry: PhantomData };
        database
            .on(&database.url, async |outbox| {
                outbox.migrate().await?;
                Worker::new(outbox.clone(), ()).drain().await?;
                Ok(())
            })
            .await?;
        Postgres::execute(&database.counts, "checkpoint").await?;
        Ok(database)
    }
}

impl<R: Consumers<Postgres, State = ()>> Database<R> {
    /// Does something on connections of its own, and waits until these are gone: then they have told
    /// of everything that they did.
    async fn on(
        &self,
        url: &str,
        what: impl AsyncFnOnce(&Outbox<R, Postgres>) -> Result<()>,
    ) -> Result<()> {
        let pool = PgPoolOptions::new().connect(url).await?;
        what(&Outbox::new(pool.clone())).await?;
        pool.close().await;
        let left = "select count(*) from pg_stat_activity
                    where datname = current_database() and pid <> pg_backend_pid()";
        wait::until("the connections to be gone", async || {
            Postgres::number(&self.counts, left).await.is_ok_and(|left| left == 0)
        })
        .await;
        Ok(())
    }
}

impl<R> Database<R>
where
    R: Consumers<Postgres, State = ()>,
    Ping: ListedIn<R, Own>,
{
    /// What it costs to emit so many events, each in a transaction of its own.
    pub(crate) async fn emits(&self, events: u64) -> Result<Costs> {
        self.costs(async |outbox| {
            for n in 0..events {
                let mut tx = outbox.begin().await?;
                outbox.emit(&mut tx, Ping::new(n)).await?;
                tx.commit().await?;
            }
            Ok(())
        })
        .await
    }

    /// What it costs to deliver so many events, and nothing else, to all consumers.
    pub(crate) async fn delivers(&self, events: u64) -> Result<Costs> {
        self.on(&self.url, async |outbox| {
            Worker::new(outbox.clone(), ()).drain().await?;
            let mut tx = outbox.begin().await?;
            outbox.emit_all(&mut tx, (0..events).map(Ping::new)).await?;
            tx.commit().await?;
            Ok(())
        })
        .await?;
        Postgres::execute(&self.counts, "vacuum").await?;
        self.costs(async |outbox| {
            Worker::new(outbox.clone(), ()).page_size(PAGE).drain().await?;
            Ok(())
        })
        .await
    }

    /// What it costs to emit so many events and to deliver them, each when all consumers have handled the
    /// one before it. They say in `handled` how often they were called.
    pub(crate) async fn delivers_one_by_one(
        &self,
        events: u64,
        handled: &watch::Sender<u64>,
        consumers: u64,
    ) -> Result<Costs> {
        let mut handled = handled.subscribe();
        let before = *handled.borrow();
        self.costs(async |outbox| {
            let running = Running::worker(Worker::new(outbox.clone(), ()));
            for n in 0..events {
                let mut tx = outbox.begin().await?;
                outbox.emit(&mut tx, Ping::new(n)).await?;
                tx.commit().await?;
                let all = |handled: &u64| *handled >= before + (n + 1) * consumers;
                let come = handled.wait_for(all);
                drop(wait::for_signal("all consumers to have it", come).await?);
            }
            running.stop().await?;
            Ok(())
        })
        .await
    }

    /// What a worker costs that has nothing to do until it has renewed leases of this length so many times, or
    /// a few times more. It looks at the log as often.
    pub(crate) async fn renews(&self, renewals: u64, lease: Duration) -> Result<Costs> {
        sqlx::raw_sql(COUNT_RENEWALS).execute(&self.counts).await?;
        let often = lease / 3;
        self.costs(async |outbox| {
            let worker = Worker::new(outbox.clone(), ()).lease(lease).poll(often, often);
            let running = Running::worker(worker);
            wait::until("the leases to be renewed", async || {
                Postgres::number(&self.counts, "select last_value from renewals")
                    .await
                    .is_ok_and(|done| done > renewals as i64)
            })
            .await;
            running.stop().await?;
            Ok(())
        })
        .await
    }

    /// What something costs.
    async fn costs(
        &self,
        what: impl AsyncFnOnce(&Outbox<R, Postgres>) -> Result<()>,
    ) -> Result<Costs> {
        let before = self.count().await?;
        self.on(&self.tap.url(&self.url), what).await?;
        Ok(self.count().await? - before)
    }

    async fn count(&self) -> Result<Costs> {
        let allocations = HEAP.stats().allocations as f64;
        let statements = self.tap.statements() as f64;
        let (rows, dead_rows, wal_bytes, transaction_ids, scans) = sqlx::query_as(
            "select sum(n_tup_ins + n_tup_upd + n_tup_del)::float8,
                    sum(n_tup_upd + n_tup_del)::float8,
                    (pg_current_wal_insert_lsn() - '0/0')::float8,
                    pg_snapshot_xmax(pg_current_snapshot())::text::float8,
                    (sum(seq_scan + idx_scan) filter (where relname = 'event'))::float8
             from pg_stat_user_tables",
        )
        .fetch_one(&self.counts)
        .await?;
        Ok(Costs { statements, rows, dead_rows, wal_bytes, transaction_ids, allocations, scans })
    }
}
