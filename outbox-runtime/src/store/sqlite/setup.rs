//! Migrations, and making consumers known.

use std::time::Duration;

use sqlx::types::Json;
use sqlx::{AssertSqlSafe, Executor, Row, SqliteConnection};
use tokio::time::{Instant, sleep};

use super::SqliteStore;
use super::progress::LogProgress;
use crate::consumer::Start;
use crate::error::{During, ErrorKind, Result};

use crate::store::types::start_text;
use crate::store::{Control, Registered, Registration, migrate};

const MIGRATE: &str = "migrate";
const REGISTER: &str = "register consumers";

/// How long `migrate` waits for other connections before it gives up on changing the journal mode:
/// as long as sqlx waits for a lock by default.
const JOURNAL_WAIT: Duration = Duration::from_secs(5);

impl SqliteStore {
    /// One transaction for all, behind the write lock that two processes cannot both have.
    pub(super) async fn apply_migrations(&self) -> Result<()> {
        self.use_write_ahead_log().await?;
        let mut tx = self.begin_writing(MIGRATE).await?;
        let found = self.format_in(&mut tx).await?;
        if found.is_some_and(|version| version > migrate::newest(migrate::SQLITE)) {
            return migrate::check(found, migrate::SQLITE);
        }
        for (version, sql) in migrate::SQLITE {
            if found.is_none_or(|found| found < *version) {
                let sql = self.namespace.with_prefix(sql);
                tx.execute(sqlx::raw_sql(sql.safe())).await.during(MIGRATE)?;
            }
        }
        tx.commit().await.during(MIGRATE)
    }

    /// Lets readers go on while somebody writes. The mode is a property of the file and stays.
    /// A database in memory has no such mode and does without.
    pub(super) async fn use_write_ahead_log(&self) -> Result<()> {
        let mut connection = self.pool.asked().await.during(MIGRATE)?;
        let give_up = Instant::now() + JOURNAL_WAIT;
        loop {
            match change_journal_mode(&mut connection).await {
                // Changing the mode needs the file for itself, and SQLite does not wait for that.
                Err(error) if error.kind() == ErrorKind::Conflict && Instant::now() < give_up => {
                    sleep(Duration::from_millis(20)).await;
                }
                changed => return changed,
            }
        }
    }

    pub(super) async fn read_format(&self) -> Result<Option<i32>> {
        let mut connection = self.pool.asked().await.during("check the format")?;
        self.format_in(&mut connection).await
    }

    async fn format_in(&self, connection: &mut SqliteConnection) -> Result<Option<i32>> {
        const CHECK: &str = "check the format";
        // The name was checked when the namespace was made.
        let name = format!("{}_meta", self.namespace.as_str());
        let exists: bool = sqlx::query_scalar(
            "select exists (select 1 from sqlite_schema where type = 'table' and name = ?1)",
        )
        .bind(&name)
        .fetch_one(&mut *connection)
        .await
        .during(CHECK)?;
        if !exists {
            return Ok(None);
        }
        sqlx::query_scalar(AssertSqlSafe(format!("select format_version from \"{name}\"")))
            .fetch_optional(connection)
            .await
            .during(CHECK)
    }

    /// What is new is registered together with its first checkpoints, in one transaction: a
    /// consumer that starts "now" misses nothing that is committed later.
    pub(super) async fn register_consumers(
        &self,
        consumers: &[Registration],
    ) -> Result<Vec<Registered>> {
        let names: Vec<&str> = consumers.iter().map(|consumer| consumer.name).collect();
        let known = self.known_consumers(&names).await?;
        let is_new = |consumer: &&Registration| !known.iter().any(|row| row.covers(consumer));
        if consumers.iter().any(|consumer| is_new(&consumer)) {
            let mut tx = self.begin_writing(REGISTER).await?;
            for consumer in consumers.iter().filter(is_new) {
                self.register_one(&mut tx, consumer).await?;
            }
            tx.commit().await.during(REGISTER)?;
        }
        self.known_consumers(&names).await
    }

    pub(super) async fn known_consumers(&self, names: &[&str]) -> Result<Vec<Registered>> {
        let rows = sqlx::query(self.sql.registered.safe())
            .bind(Json(names))
            .fetch_all(&mut *self.pool.asked().await.during(REGISTER)?)
            .await
            .during(REGISTER)?;
        let known = rows.iter().map(|row| {
            Ok(Registered {
                name: row.try_get(0)?,
                shards: row.try_get(1)?,
                event_name: row.try_get(2)?,
                event_version: row.try_get(3)?,
                ordered: row.try_get(4)?,
                revision: row.try_get(5)?,
                paused: row.try_get(6)?,
                retired: row.try_get(7)?,
            })
        });
        let known = known.collect::<sqlx::Result<_>>().during(REGISTER)?;
        Ok(Registered::of(known, names))
    }

    async fn register_one(&self, tx: &mut SqliteConnection, consumer: &Registration) -> Result<()> {
        let before = self.lock_consumer(tx, consumer.name).await?;
        let shards: u32 = sqlx::query_scalar(self.sql.register.safe())
            .bind(consumer.name)
            .bind(consumer.event_name)
            .bind(consumer.event_version)
            .bind(consumer.ordered)
            .bind(consumer.shards)
            .bind(start_text(consumer.start))
            .bind(self.now_us())
            .fetch_one(&mut *tx)
            .await
            .during(REGISTER)?;
        let progress = match consumer.start {
            Start::Now => self.mark(tx).await?,
            // A start at a time is a filter on reading, as on Postgres.
            Start::Beginning | Start::At(_) => LogProgress::beginning(),
        };
        let revived = before.is_some_and(|row| row.retired);
        for shard in 0..shards {
            if revived && let Some(ledger) = self.fence(tx, consumer.name, shard).await? {
                self.amend(tx, consumer.name, &ledger.anew(progress.clone())).await?;
            } else {
                self.open_ledger(tx, consumer.name, shard, &progress).await?;
            }
        }
        Ok(())
    }
}

async fn change_journal_mode(connection: &mut SqliteConnection) -> Result<()> {
    let mode: String = sqlx::query_scalar("pragma journal_mode")
        .fetch_one(&mut *connection)
        .await
        .during(MIGRATE)?;
    if mode == "wal" || mode == "memory" {
        return Ok(());
    }
    let changed = sqlx::query_scalar("pragma journal_mode = wal").fetch_one(connection).await;
    warn_unless_wal(changed.during(MIGRATE)?);
    Ok(())
}

fn warn_unless_wal(mode: String) {
    if mode != "wal" {
        tracing::warn!(mode, "the file system has no write-ahead log: readers wait for writers");
    }
}
