//! Transactions of every kind, and a list of what they committed.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::value::to_raw_value;
use sqlx::{Connection, PgConnection, Row};
use uuid::Uuid;

use super::Round;
use crate::error::Result;
use crate::key::key_hash;
use crate::store::postgres::PostgresStore;
use crate::store::{NewEvent, Store};

/// Keys that transactions serialise on.
const KEYS: i64 = 50;

/// Keys of the bulk transaction alone.
const BULK_KEYS: i64 = 50;

/// The event of these tests.
pub(super) const NAME: &str = "schedule.step";

/// A committed event: its key and its number in that key, and when the commit was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Step {
    pub(super) key: i64,
    pub(super) number: i64,
}

pub(super) type Committed = Vec<(Step, Instant)>;

pub(super) struct Emitters {
    store: PostgresStore,
    round: Round,
    committed: Mutex<Committed>,
}

impl Emitters {
    /// Emits for as long as the round says; returns what was committed.
    pub(super) async fn run(store: PostgresStore, round: Round) -> Committed {
        sqlx::raw_sql(
            "create table agg (key bigint primary key, number bigint not null);
             insert into agg select i, 0 from generate_series(0, 99) i;
             create table noise (i int);",
        )
        .execute(store.pool())
        .await
        .expect("tables");
        let emitters = Arc::new(Self { store, round, committed: Mutex::default() });
        let end = Instant::now() + round.emitting;
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..round.emitters {
            let emitters = Arc::clone(&emitters);
            let seed = round.seed.wrapping_mul(1_000_003).wrapping_add(number as u64);
            tasks.spawn(async move { emitters.emit(fastrand::Rng::with_seed(seed), end).await });
        }
        let bulk = Arc::clone(&emitters);
        tasks.spawn(async move { bulk.emit_bulk().await });
        while let Some(done) = tasks.join_next().await {
            done.expect("an emitter does not panic").expect("emitting works");
        }
        std::mem::take(&mut *emitters.committed.lock().expect("not poisoned"))
    }

    async fn emit(&self, mut random: fastrand::Rng, end: Instant) -> Result<()> {
        let mut connection = self.store.pool().acquire().await.expect("a connection");
        while Instant::now() < end {
            let mut steps = Vec::new();
            let mut tx = connection.begin().await.expect("begun");
            if random.bool() {
                // An id early, events late.
                query(&mut tx, "insert into noise values (1)").await;
            }
            self.pause(&mut random, 0.1, Duration::from_millis(600)).await;
            let count = *random.choice(&[1, 1, 1, 3]).unwrap_or(&1);
            let mut keys: Vec<i64> = (0..count).map(|_| random.i64(0..KEYS)).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                let rolls_back = random.f64() < 0.1;
                if rolls_back {
                    let mut savepoint = tx.begin().await.expect("a savepoint");
                    self.step(&mut savepoint, key).await?;
                    savepoint.rollback().await.expect("rolled back");
                } else {
                    steps.push(self.step(&mut tx, key).await?);
                }
                self.pause(&mut random, 0.05, Duration::from_millis(100)).await;
            }
            self.pause(&mut random, 0.002, self.round.longest_pause).await;
            if random.f64() < 0.1 {
                tx.rollback().await.expect("rolled back");
            } else {
                tx.commit().await.expect("committed");
                let now = Instant::now();
                let mut committed = self.committed.lock().expect("not poisoned");
                committed.extend(steps.into_iter().map(|step| (step, now)));
            }
        }
        Ok(())
    }

    /// One transaction with very many events, held open for a while.
    async fn emit_bulk(&self) -> Result<()> {
        let mut tx = self.store.pool().begin().await.expect("begun");
        tokio::time::sleep(self.round.emitting / 4).await;
        let step = |index| Step { key: KEYS + index % BULK_KEYS, number: index / BULK_KEYS + 1 };
        let steps: Vec<Step> = (0..self.round.bulk as i64).map(step).collect();
        let events = steps.iter().map(|step| event(*step)).collect();
        self.store.append(&mut tx, events, Duration::ZERO).await?;
        tokio::time::sleep(self.round.emitting / 4).await;
        tx.commit().await.expect("committed");
        let now = Instant::now();
        let mut committed = self.committed.lock().expect("not poisoned");
        committed.extend(steps.into_iter().map(|step| (step, now)));
        Ok(())
    }

    async fn step(&self, connection: &mut PgConnection, key: i64) -> Result<Step> {
        let row = sqlx::query("update agg set number = number + 1 where key = $1 returning number")
            .bind(key)
            .fetch_one(&mut *connection)
            .await
            .expect("a number");
        let step = Step { key, number: row.get(0) };
        self.store.append(connection, vec![event(step)], Duration::ZERO).await?;
        Ok(step)
    }

    async fn pause(&self, random: &mut fastrand::Rng, share: f64, longest: Duration) {
        if random.f64() < share {
            tokio::time::sleep(longest.mul_f64(random.f64())).await;
        }
    }
}

fn event(step: Step) -> NewEvent {
    let id = Uuid::now_v7();
    let key = step.key.to_string();
    NewEvent {
        id,
        name: NAME,
        version: 1,
        key_hash: key_hash(Some(&key), id),
        key: Some(key),
        payload: to_raw_value(&step.number).expect("a number is JSON"),
        headers: Default::default(),
        dedup_key: None,
    }
}

async fn query(connection: &mut PgConnection, sql: &'static str) {
    sqlx::query(sql).execute(connection).await.expect("executed");
}
