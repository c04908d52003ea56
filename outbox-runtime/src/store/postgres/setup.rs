//! Migrations, and making consumers known.

use sqlx::types::Json;
use sqlx::{AssertSqlSafe, Executor, PgConnection};

use super::PostgresStore;
use super::window::WindowProgress;
use crate::consumer::Start;
use crate::error::{During, Result};
use crate::store::types::Registered;
use crate::store::types::{not_before, start_text};
use crate::store::{Registration, migrate};

const MIGRATE: &str = "migrate";
const REGISTER: &str = "register consumers";

impl PostgresStore {
    /// One transaction for all, behind an advisory lock that two processes cannot both have. It
    /// is a lock of the transaction, so that it works through a transaction pooler.
    pub(super) async fn apply_migrations(&self) -> Result<()> {
        let mut tx = self.connections.begin(MIGRATE).await?;
        sqlx::query("select pg_advisory_xact_lock(hashtextextended('outbox:' || $1, 0))")
            .bind(self.namespace.as_str())
            .execute(&mut *tx)
            .await
            .during(MIGRATE)?;
        let found = self.format_in(&mut tx).await?;
        if found.is_some_and(|version| version > migrate::FORMAT_VERSION) {
            return migrate::check(found);
        }
        for (version, sql) in migrate::POSTGRES {
            if found.is_none_or(|found| found < version) {
                let sql = self.namespace.in_schema(sql);
                tx.execute(sqlx::raw_sql(sql.safe())).await.during(MIGRATE)?;
            }
        }
        tx.commit().await.during(MIGRATE)
    }

    pub(super) async fn read_format(&self) -> Result<Option<i32>> {
        let mut connection = self.connections.get("check the format").await?;
        self.format_in(&mut connection).await
    }

    async fn format_in(&self, connection: &mut PgConnection) -> Result<Option<i32>> {
        const CHECK: &str = "check the format";
        let name = format!("\"{}\".meta", self.namespace.as_str());
        let exists: bool = sqlx::query_scalar("select to_regclass($1) is not null")
            .bind(&name)
            .fetch_one(&mut *connection)
            .await
            .during(CHECK)?;
        if !exists {
            return Ok(None);
        }
        // The name was checked when the namespace was made.
        sqlx::query_scalar(AssertSqlSafe(format!("select format_version from {name}")))
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
        let known = self.registered(consumers).await?;
        let is_new = |consumer: &&Registration| !known.iter().any(|row| row.covers(consumer));
        if consumers.iter().any(|consumer| is_new(&consumer)) {
            let now = self.mark().await?;
            let mut tx = self.connections.begin(REGISTER).await?;
            for consumer in consumers.iter().filter(is_new) {
                self.register_one(&mut tx, consumer, &now).await?;
            }
            tx.commit().await.during(REGISTER)?;
        }
        Ok(Registered::of(self.registered(consumers).await?, consumers))
    }

    async fn registered(&self, consumers: &[Registration]) -> Result<Vec<Registered>> {
        let rows: Vec<(String, i32, String, i32, String)> =
            sqlx::query_as(self.sql.registered.safe())
                .bind(consumers.iter().map(|consumer| consumer.name).collect::<Vec<_>>())
                .fetch_all(&mut *self.connections.get(REGISTER).await?)
                .await
                .during(REGISTER)?;
        let registered =
            rows.into_iter().map(|(name, shards, event_name, event_version, start)| {
                let (shards, event_version) = (shards as u32, event_version as u32);
                let not_before = not_before(&start);
                Registered { name, shards, event_name, event_version, not_before }
            });
        Ok(registered.collect())
    }

    async fn register_one(
        &self,
        tx: &mut PgConnection,
        consumer: &Registration,
        now: &WindowProgress,
    ) -> Result<()> {
        let shards: i32 = sqlx::query_scalar(self.sql.register.safe())
            .bind(consumer.name)
            .bind(consumer.event_name)
            .bind(consumer.event_version as i32)
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
        for shard in 0..shards {
            sqlx::query(self.sql.first_checkpoint.safe())
                .bind(consumer.name)
                .bind(shard)
                .bind(Json(&progress))
                .execute(&mut *tx)
                .await
                .during(REGISTER)?;
        }
        Ok(())
    }
}
