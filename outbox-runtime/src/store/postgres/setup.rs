//! Migrations, and making consumers known.

use std::collections::HashSet;

use sqlx::types::Json;
use sqlx::{AssertSqlSafe, Executor};

use super::PostgresStore;
use super::window::WindowProgress;
use crate::consumer::Start;
use crate::error::{During, Result};
use crate::store::types::start_text;
use crate::store::{Registration, migrate};

const MIGRATE: &str = "migrate";

impl PostgresStore {
    /// One transaction for all, behind an advisory lock that two processes cannot both have. It
    /// is a lock of the transaction, so that it works through a transaction pooler.
    pub(super) async fn apply_migrations(&self) -> Result<()> {
        let mut tx = self.pool.begin().await.during(MIGRATE)?;
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
        let mut connection = self.pool.acquire().await.during("check the format")?;
        self.format_in(&mut connection).await
    }

    async fn format_in(&self, connection: &mut sqlx::PgConnection) -> Result<Option<i32>> {
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

    pub(super) async fn register_consumers(&self, consumers: &[Registration]) -> Result<Vec<u32>> {
        const REGISTER: &str = "register consumers";
        for consumer in consumers {
            sqlx::query(self.sql.register.safe())
                .bind(consumer.name)
                .bind(consumer.event_name)
                .bind(consumer.event_version as i32)
                .bind(consumer.shards as i32)
                .bind(start_text(consumer.start))
                .execute(&self.pool)
                .await
                .during(REGISTER)?;
        }
        let names: Vec<&str> = consumers.iter().map(|consumer| consumer.name).collect();
        let known: Vec<(String, i32)> = sqlx::query_as(self.sql.registered_shards.safe())
            .bind(&names)
            .fetch_all(&self.pool)
            .await
            .during(REGISTER)?;
        let begun: HashSet<(String, i32)> = sqlx::query_as(self.sql.registered.safe())
            .bind(&names)
            .fetch_all(&self.pool)
            .await
            .during(REGISTER)?
            .into_iter()
            .collect();
        let mut shards = Vec::with_capacity(consumers.len());
        for consumer in consumers {
            let count = known
                .iter()
                .find(|(name, _)| name == consumer.name)
                .map_or(consumer.shards, |(_, count)| *count as u32);
            let missing: Vec<i32> = (0..count as i32)
                .filter(|shard| !begun.contains(&(consumer.name.to_owned(), *shard)))
                .collect();
            if !missing.is_empty() {
                self.first_checkpoints(consumer, &missing).await?;
            }
            shards.push(count);
        }
        Ok(shards)
    }

    async fn first_checkpoints(&self, consumer: &Registration, shards: &[i32]) -> Result<()> {
        let progress = match consumer.start {
            Start::Now => self.mark().await?,
            // A start at a time is a filter on reading: times are not in the order of commits.
            Start::Beginning | Start::At(_) => WindowProgress::beginning(),
        };
        for shard in shards {
            sqlx::query(self.sql.first_checkpoint.safe())
                .bind(consumer.name)
                .bind(shard)
                .bind(Json(&progress))
                .execute(&self.pool)
                .await
                .during("register consumers")?;
        }
        Ok(())
    }
}
