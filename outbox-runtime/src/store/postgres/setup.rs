//! Migrations, and making consumers known.

use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};

use super::PostgresStore;
use super::session::{Statement, once, once_scalar, query, query_scalar};
use super::window::WindowProgress;
use crate::consumer::Start;
use crate::error::{During, Error, ErrorKind, Result};
use crate::store::types::start_text;
use crate::store::{Control, Registered, Registration, migrate};

const CHECK: &str = "check the format";
const MIGRATE: &str = "migrate";
const REGISTER: &str = "register consumers";

impl PostgresStore {
    /// One transaction for all, behind an advisory lock that two processes cannot both have. It
    /// is a lock of the transaction, so that it works through a transaction pooler.
    pub(super) async fn apply_migrations(&self) -> Result<()> {
        let mut tx = self.pool.begin().await.during(MIGRATE)?;
        once("select pg_advisory_xact_lock(hashtextextended('outbox:' || $1, 0))")
            .bind(self.namespace.as_str())
            .execute(&mut *tx)
            .await
            .during(MIGRATE)?;
        let found = self.format_in(&mut tx).await?;
        if found.is_some_and(|version| version > migrate::newest(migrate::POSTGRES)) {
            return migrate::check(found, migrate::POSTGRES);
        }
        for (version, sql) in migrate::POSTGRES {
            if found.is_none_or(|found| found < *version) {
                let sql = self.namespace.in_schema(sql);
                tx.execute(sqlx::raw_sql(sql.safe())).await.during(MIGRATE)?;
            }
        }
        tx.commit().await.during(MIGRATE)
    }

    pub(super) async fn read_format(&self) -> Result<Option<i32>> {
        let mut session = self.pool.session().await.during(CHECK)?;
        let found = self.format_in(&mut session).await?;
        session.end().await.during(CHECK)?;
        Ok(found)
    }

    async fn format_in(&self, connection: &mut PgConnection) -> Result<Option<i32>> {
        let name = format!("\"{}\".meta", self.namespace.as_str());
        let exists: bool = once_scalar("select to_regclass($1) is not null")
            .bind(&name)
            .fetch_one(&mut *connection)
            .await
            .during(CHECK)?;
        if !exists {
            return Ok(None);
        }
        // The name was checked when the namespace was made.
        once_scalar(AssertSqlSafe(format!("select format_version from {name}")))
            .fetch_optional(connection)
            .await
            .during(CHECK)
    }

    /// What is new is registered together with its first checkpoints, in one transaction. Where a
    /// consumer starts from now on, "now" is marked before: in a transaction that already has an
    /// id, the mark would be wrong (see window.rs).
    pub(super) async fn register_consumers(
        &self,
        consumers: &[Registration],
    ) -> Result<Vec<Registered>> {
        self.translate_if_restored().await?;
        let names: Vec<&str> = consumers.iter().map(|consumer| consumer.name).collect();
        let known = self.known_consumers(&names).await?;
        let is_new = |consumer: &&Registration| !known.iter().any(|row| row.covers(consumer));
        if consumers.iter().any(|consumer| is_new(&consumer)) {
            let now = self.mark().await?;
            let mut tx = self.begin_control().await?;
            if self.server_of(&mut tx).await? != now.server {
                let message = "the database server was restarted or replaced meanwhile";
                return Err(Error::new(ErrorKind::Unavailable, REGISTER, message));
            }
            for consumer in consumers.iter().filter(is_new) {
                self.register_one(&mut tx, consumer, &now).await?;
            }
            tx.commit().await.during(REGISTER)?;
        }
        self.known_consumers(&names).await
    }

    pub(super) async fn known_consumers(&self, names: &[&str]) -> Result<Vec<Registered>> {
        let rows =
            query(&self.sql.registered).bind(names).all(&self.pool).await.during(REGISTER)?;
        let known = rows.iter().map(|row| {
            Ok(Registered {
                name: row.try_get(0)?,
                shards: row.try_get::<i32, _>(1)? as u32,
                event_name: row.try_get(2)?,
                event_version: row.try_get::<i32, _>(3)? as u32,
                ordered: row.try_get(4)?,
                revision: row.try_get(5)?,
                paused: row.try_get(6)?,
                retired: row.try_get(7)?,
            })
        });
        let known = known.collect::<sqlx::Result<_>>().during(REGISTER)?;
        Ok(Registered::of(known, names))
    }

    async fn register_one(
        &self,
        tx: &mut PgConnection,
        consumer: &Registration,
        now: &WindowProgress,
    ) -> Result<()> {
        let before = self.lock_consumer(tx, consumer.name).await?;
        let shards: i32 = query_scalar(&self.sql.register)
            .bind(consumer.name)
            .bind(consumer.event_name)
            .bind(consumer.event_version as i32)
            .bind(consumer.ordered)
            .bind(consumer.shards as i32)
            .bind(start_text(consumer.start))
            .fetch_one(&mut *tx)
            .await
            .during(REGISTER)?;
        let progress = match consumer.start {
            Start::Now => now.clone(),
            // A start at a time is a filter on reading: times are not in the order of commits.
            Start::Beginning | Start::At(_) => WindowProgress::beginning(),
        };
        let revived = before.is_some_and(|row| row.retired);
        for shard in 0..shards as u32 {
            if revived && let Some(ledger) = self.fence(tx, consumer.name, shard).await? {
                self.amend(tx, consumer.name, &ledger.anew(progress.clone())).await?;
            } else {
                self.open_ledger(tx, consumer.name, shard, &progress).await?;
            }
        }
        Ok(())
    }
}
