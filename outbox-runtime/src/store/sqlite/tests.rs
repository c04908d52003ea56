//! The store on SQLite by itself, in a file of its own per test. What both databases have in
//! common is tested in the suite that both run.

mod deliveries;
mod log;
mod plans;
mod setup;
mod shards;
mod workers;

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use uuid::Uuid;

use super::SqliteStore;
use super::progress::LogProgress;
use crate::clock::Clock;
use crate::consumer::Start;
use crate::event::Emitted;
use crate::headers::Headers;
use crate::key::key_hash;
use crate::store::line::Line;
use crate::store::{Namespace, NewEvent, Registration, ShardId, Slice, Store, Taken};

const TTL: Duration = Duration::from_secs(60);

/// A database file that is removed with its directory.
struct File(tempfile::TempDir);

impl File {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("test.db")
    }

    /// A pool with sqlx's default options, as another process would have it.
    fn pool(&self) -> SqlitePool {
        let options = SqliteConnectOptions::new().filename(self.path()).create_if_missing(true);
        SqlitePoolOptions::new().max_connections(4).connect_lazy_with(options)
    }

    fn store(&self) -> SqliteStore {
        SqliteStore::new(self.pool(), &Namespace::default(), Clock::database())
    }

    fn store_at(&self, clock: &Clock) -> SqliteStore {
        SqliteStore::new(self.pool(), &Namespace::default(), clock.clone())
    }
}

async fn migrated() -> (File, SqliteStore) {
    let file = File::new();
    let store = file.store();
    store.migrate().await.unwrap();
    (file, store)
}

/// A whole number of microseconds, as is stored.
fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn event(name: &'static str, key: Option<&str>) -> NewEvent {
    let id = Uuid::now_v7();
    NewEvent {
        id,
        name,
        version: 1,
        key: key.map(str::to_owned),
        key_hash: key_hash(key, id),
        payload: serde_json::value::to_raw_value(&1).unwrap(),
        headers: Headers::default(),
        dedup_key: None,
    }
}

fn shard(consumer: &'static str) -> ShardId {
    ShardId { consumer, shard: 0 }
}

fn registration(name: &'static str, start: Start) -> Registration {
    Registration { name, event_name: "a", event_version: 1, ordered: false, shards: 1, start }
}

/// Takes a shard over, whoever had the lease.
async fn take(
    store: &SqliteStore,
    id: &ShardId,
    slice: &Slice,
    worker: Uuid,
) -> crate::Result<Taken<LogProgress>> {
    let stolen = "insert into outbox_lease (consumer, shard, worker, epoch, expires_at_us)
                  values (?1, ?2, ?3, 1, 0)
                  on conflict do update set worker = excluded.worker";
    let stolen = sqlx::query(stolen).bind(id.consumer).bind(id.shard).bind(worker);
    stolen.execute(store.pool()).await.unwrap();
    store.take_over(id, slice, worker).await
}

/// Appends and commits.
async fn emit(store: &SqliteStore, events: Vec<NewEvent>) -> Vec<Emitted> {
    let mut tx = store.begin().await.unwrap();
    let emitted = store.append(&mut tx, events, TTL).await.unwrap();
    tx.commit().await.unwrap();
    emitted
}

fn after(position: i64) -> LogProgress {
    LogProgress { after: position }
}
