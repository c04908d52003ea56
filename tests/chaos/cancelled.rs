//! Futures of transactions and emits dropped at random instants, on a pool of one connection: no
//! event of a transaction that was not committed appears, and nobody inherits a transaction.

use std::collections::HashSet;
use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use outbox_runtime::testing::TestDatabase;
use outbox_runtime::{EventFilter, Outbox, Postgres, Result, Sqlite, Tx};
use outbox_tests::{Db, Ping, wait};
use sqlx::Pool;
use tokio::time::timeout;

use crate::scene::Emits;

/// So many transactions are cut off with each seed.
fn cuts() -> u64 {
    if crate::is_long() { 1_000 } else { 250 }
}

#[derive(Debug, Default)]
struct Verdict {
    committed: HashSet<u64>,
    /// What was emitted in them.
    emitted: Vec<u64>,
    /// The commit was cancelled: nobody knows.
    unknown: HashSet<u64>,
    cancelled: u64,
    lost: usize,
    foreign: usize,
    /// In the log more than once.
    repeated: usize,
    inherited: u64,
    idle_in_transaction: i64,
}

/// Drops a future after so many polls, or after so many microseconds; `None` if it was dropped.
async fn cut<T>(random: &mut fastrand::Rng, future: impl Future<Output = T>) -> Option<T> {
    match random.u8(0..4) {
        0 => Some(future.await),
        1 => {
            let mut polls = random.u8(1..6);
            let mut future = pin!(future);
            std::future::poll_fn(|context| {
                if let Poll::Ready(value) = future.as_mut().poll(context) {
                    return Poll::Ready(Some(value));
                }
                polls -= 1;
                if polls == 0 { Poll::Ready(None) } else { Poll::Pending }
            })
            .await
        }
        2 => {
            let limit = Duration::from_micros(random.u64(1..3_000));
            timeout(limit, future).await.ok()
        }
        _ => {
            let turns = random.u8(0..30);
            tokio::select! {
                value = future => Some(value),
                () = async { for _ in 0..turns { tokio::task::yield_now().await } } => None,
            }
        }
    }
}

/// One transaction: some events, perhaps a savepoint, perhaps no commit; dropped wherever it is cut.
/// Tells whether it was committed, or `None` if that was cut.
async fn round<DB: Db>(
    outbox: &Outbox<Emits, DB>,
    aside: &Pool<DB>,
    random: &mut fastrand::Rng,
    n: u64,
    verdict: &mut Verdict,
) -> Option<bool> {
    let before = clock(aside).await;
    let Some(begun) = cut(random, outbox.begin()).await else { return Some(false) };
    let mut tx = begun.expect("begun");
    verdict.inherited += inherited::<DB>(&mut tx, before).await;
    let Some(emitted) = cut(random, outbox.emit(&mut tx, Ping::new(n * 10))).await else {
        return Some(false);
    };
    emitted.expect("emitted");
    let mut numbers = vec![n * 10];
    if random.bool() {
        let many = [n * 10 + 1, n * 10 + 2];
        let Some(emitted) = cut(random, outbox.emit_all(&mut tx, many.map(Ping::new))).await else {
            return Some(false);
        };
        emitted.expect("emitted");
        numbers.extend(many);
    }
    if random.bool() {
        let Some(savepoint) = cut(random, tx.savepoint()).await else { return Some(false) };
        let mut savepoint = savepoint.expect("a savepoint");
        // Never committed, whatever happens.
        let _ = cut(random, outbox.emit(savepoint.tx(), Ping::new(n * 10 + 9))).await;
        let Some(done) = cut(random, savepoint.rollback()).await else { return Some(false) };
        done.expect("rolled back");
    }
    if random.u8(0..5) == 0 {
        let _ = cut(random, tx.rollback()).await;
        return Some(false);
    }
    let committed = cut(random, tx.commit()).await?;
    committed.expect("committed");
    verdict.emitted.extend(numbers);
    Some(true)
}

/// The server's clock, in microseconds.
async fn clock<DB: Db>(aside: &Pool<DB>) -> i64 {
    let now = "select (extract(epoch from clock_timestamp()) * 1000000)::bigint";
    if DB::IS_POSTGRES { DB::number(aside, now).await.expect("a time") } else { 0 }
}

/// Whether a transaction that was asked for after `before` has an id already, or is older. (SQLite
/// refuses to begin one inside another.)
async fn inherited<DB: Db>(tx: &mut Tx<'_, DB>, before: i64) -> u64 {
    let old = format!(
        "select (pg_current_xact_id_if_assigned() is not null
                 or (extract(epoch from now()) * 1000000)::bigint < {before})::int::bigint"
    );
    if DB::IS_POSTGRES {
        DB::scalar(&mut *tx, &old).await.expect("an answer").unsigned_abs()
    } else {
        0
    }
}

async fn play<DB: Db>(seed: u64) -> Result<Verdict> {
    let mut random = fastrand::Rng::with_seed(seed);
    let database = TestDatabase::<DB>::with_connections(1).await?;
    let outbox = Outbox::<Emits, DB>::new(database.pool().clone());
    outbox.migrate().await?;
    let aside = Pool::<DB>::connect(database.url()).await.expect("another pool");
    let mut verdict = Verdict::default();
    let mut n = 0;
    while verdict.cancelled < cuts() {
        n += 1;
        match round(&outbox, &aside, &mut random, n, &mut verdict).await {
            Some(true) => drop(verdict.committed.insert(n)),
            Some(false) => verdict.cancelled += 1,
            None => drop(verdict.unknown.insert(n)),
        }
        if random.u8(0..10) == 0 {
            // Other things that begin something.
            let _ = cut(&mut random, outbox.stats()).await;
        }
    }
    wait::until("the connection to come back", async || database.pool().num_idle() == 1).await;
    // Whoever comes next begins something of their own.
    let before = clock(&aside).await;
    let mut tx = outbox.begin().await?;
    verdict.inherited += inherited::<DB>(&mut tx, before).await;
    tx.rollback().await?;
    if DB::IS_POSTGRES {
        wait::until("the connection to come back", async || database.pool().num_idle() == 1).await;
        let idle = "select count(*) from pg_stat_activity
                    where datname = current_database() and state like 'idle in%'";
        verdict.idle_in_transaction = DB::number(&aside, idle).await.expect("a count");
    }

    let mut found = HashSet::new();
    let mut filter = EventFilter::all();
    loop {
        let page = outbox.events(&filter).await?;
        let Some(last) = page.last() else { break };
        filter = filter.after(last.position);
        for event in &page {
            let ping: Ping = serde_json::from_str(event.payload.get()).expect("a ping");
            let known = verdict.committed.contains(&(ping.n / 10))
                || verdict.unknown.contains(&(ping.n / 10));
            verdict.foreign += usize::from(!known || ping.n % 10 == 9);
            verdict.repeated += usize::from(!found.insert(ping.n));
        }
    }
    verdict.lost = verdict.emitted.iter().filter(|n| !found.contains(n)).count();
    Ok(verdict)
}

/// As the table of faults has it. (Of an event that is in the log once there are no duplicates.)
fn figures(verdict: &Verdict) -> crate::verdict::Verdict {
    let Verdict { committed, cancelled, unknown, inherited, idle_in_transaction, .. } = verdict;
    crate::verdict::Verdict {
        lost: verdict.lost,
        foreign: verdict.foreign,
        duplicates: verdict.repeated,
        exact: *inherited == 0 && *idle_in_transaction == 0,
        note: format!(
            "{cancelled} cut off, {} committed, {} of unknown fate; {inherited} inherited a transaction, \
             {idle_in_transaction} sessions idle in one",
            committed.len(),
            unknown.len()
        ),
        ..crate::verdict::Verdict::default()
    }
}

async fn cut_off<DB: Db>(seed: u64) -> anyhow::Result<crate::verdict::Verdict> {
    let verdict = play::<DB>(seed).await?;
    assert!(!verdict.committed.is_empty(), "seed {seed}: nothing was committed");
    Ok(figures(&verdict))
}

crate::faults! {
    "emits and begins cut off, pool of one", cut_off:
    chaos_cancelled_begins_and_emits_leave_nothing_behind_on_postgres on Postgres,
    chaos_cancelled_begins_and_emits_leave_nothing_behind_on_sqlite on Sqlite,
}
