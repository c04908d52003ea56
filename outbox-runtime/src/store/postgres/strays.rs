//! What becomes of reads and records whose connection comes with somebody's forgotten transaction.

use std::time::Duration;

use serde_json::value::to_raw_value;
use sqlx::{Executor, PgConnection, PgPool, Postgres};
use uuid::Uuid;

use super::{PostgresStore, WindowProgress};
use crate::clock::Clock;
use crate::error::ErrorKind;
use crate::key::key_hash;
use crate::store::line::Line;
use crate::store::types::Totals;
use crate::store::{Changes, Checkpoint, Namespace, NewEvent, ShardId, Slice, Store};
use crate::testing::TestDatabase;

const SLICE: Slice = Slice::whole("wanted");

/// A store on a pool of one connection, and one on a pool of its own.
struct Scene {
    store: PostgresStore,
    other: PostgresStore,
    _database: TestDatabase<Postgres>,
}

impl Scene {
    async fn new() -> Self {
        let database = TestDatabase::<Postgres>::with_connections(1).await.unwrap();
        let open = |pool| PostgresStore::new(pool, &Namespace::default(), Clock::database());
        let store = open(database.pool().clone());
        store.migrate().await.unwrap();
        let other = open(PgPool::connect(database.url()).await.unwrap());
        Self { store, other, _database: database }
    }

    /// Gives the only connection of the pool back in a transaction.
    async fn leave_open(&self, begin: &'static str, statement: &'static str) {
        let mut connection = self.store.pool().acquire().await.unwrap();
        connection.execute(begin).await.unwrap();
        connection.execute(statement).await.unwrap();
        drop(connection);
        let given_back = async {
            while self.store.pool().num_idle() == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), given_back).await.unwrap();
    }

    async fn emit(&self, count: usize) {
        let mut tx = self.other.begin().await.unwrap();
        self.append(&mut tx, count).await;
        tx.commit().await.unwrap();
    }

    async fn append(&self, tx: &mut PgConnection, count: usize) {
        let new = |_| {
            let id = Uuid::now_v7();
            NewEvent {
                id,
                name: "wanted",
                version: 1,
                key: None,
                key_hash: key_hash(None, id),
                payload: to_raw_value(&1).unwrap(),
                headers: Default::default(),
                dedup_key: None,
            }
        };
        let events = (0..count).map(new).collect();
        self.other.append(tx, events, Duration::ZERO).await.unwrap();
    }
}

const GIVE_ID: &str = "select pg_current_xact_id()";

/// It would lend its id to the reader, which then would not see what is emitted meanwhile.
#[tokio::test]
async fn a_window_that_is_opened_in_a_transaction_with_an_id_is_refused() {
    let scene = Scene::new().await;
    let start = scene.store.mark().await.unwrap();
    scene.leave_open("begin", GIVE_ID).await;
    scene.emit(3).await;
    let error = scene.store.read(&Line::default(), &start, None, &SLICE, 100).await.unwrap_err();
    assert_eq!((error.kind(), error.is_stray()), (ErrorKind::Unavailable, true), "{error}");
    let page = scene.store.read(&Line::default(), &start, None, &SLICE, 100).await.unwrap();
    assert_eq!(page.events.len(), 3, "on another connection");
}

/// The reader gives it an id, and cannot tell it from its own; somebody goes on in it and emits.
#[tokio::test]
async fn nothing_is_emitted_with_an_id_that_was_lent() {
    for probes in [false, true] {
        let scene = Scene::new().await;
        let start = scene.store.mark().await.unwrap();
        scene.emit(1).await;
        scene.leave_open("begin", "select 1").await;
        let (mut progress, mut found) = (start.clone(), 0);
        if probes {
            let probed = scene.store.probe(&mut progress, &[]).await.unwrap();
            assert_eq!(probed.names, Some(vec!["wanted".to_owned()]));
        } else {
            let page = scene.store.read(&Line::default(), &start, None, &SLICE, 100).await.unwrap();
            (progress, found) = (page.end, page.events.len());
        }
        let mut tx = scene.store.pool().begin().await.unwrap();
        scene.append(&mut tx, 1).await;
        scene.emit(1).await;
        tx.commit().await.unwrap();
        scene.emit(1).await;
        for _ in 0..3 {
            let page =
                scene.other.read(&Line::default(), &progress, None, &SLICE, 100).await.unwrap();
            (progress, found) = (page.end, found + page.events.len());
        }
        assert_eq!(found, if probes { 3 } else { 4 }, "probes: {probes}");
    }
}

#[tokio::test]
async fn a_probe_in_a_transaction_with_an_id_is_refused() {
    let scene = Scene::new().await;
    let mut progress = scene.store.mark().await.unwrap();
    let start = progress.clone();
    scene.leave_open("begin", GIVE_ID).await;
    scene.emit(1).await;
    let error = scene.store.probe(&mut progress, &[]).await.unwrap_err();
    assert!(error.is_stray() && progress == start, "{error}");
    let probed = scene.store.probe(&mut progress, &[]).await.unwrap();
    assert_eq!(probed.names, Some(vec!["wanted".to_owned()]));
}

/// A mark is rare, and asks first.
#[tokio::test]
async fn a_mark_is_not_made_in_a_transaction_that_was_left_open() {
    let scene = Scene::new().await;
    scene.leave_open("begin", "create table mine (n int)").await;
    // It has an id above that of the transaction that was left open, and its positions already.
    let mut tx = scene.other.begin().await.unwrap();
    scene.append(&mut tx, 1).await;
    let mark = scene.store.mark().await.unwrap();
    tx.commit().await.unwrap();
    scene.emit(1).await;
    let page = scene.other.read(&Line::default(), &mark, None, &SLICE, 100).await.unwrap();
    assert_eq!(page.events.len(), 2, "what was committed after the mark");
}

/// Its snapshot is older than the window: what the window has and it has not would be passed over.
#[tokio::test]
async fn a_window_is_not_continued_in_a_transaction_that_sees_less() {
    let scene = Scene::new().await;
    let server = scene.store.mark().await.unwrap().server;
    scene.leave_open("begin isolation level repeatable read", "select 1").await;
    scene.emit(3).await;
    let start = WindowProgress::beginning().on(server);
    let first = scene.other.read(&Line::default(), &start, None, &SLICE, 1).await.unwrap();
    assert!(first.events.len() == 1 && first.end.window.is_some());
    let error =
        scene.store.read(&Line::default(), &first.end, None, &SLICE, 100).await.unwrap_err();
    assert!(error.is_stray(), "{error}");
    let rest = scene.store.read(&Line::default(), &first.end, None, &SLICE, 100).await.unwrap();
    assert_eq!(rest.events.len(), 2);
}

/// Where the pool's connections have that isolation, each statement by itself sees enough.
#[tokio::test]
async fn a_window_is_continued_whatever_the_isolation() {
    let scene = Scene::new().await;
    let server = scene.store.mark().await.unwrap().server;
    let isolation = "set default_transaction_isolation = 'serializable'";
    scene.store.pool().execute(isolation).await.unwrap();
    scene.emit(3).await;
    let mut progress = WindowProgress::beginning().on(server);
    let mut found = 0;
    for _ in 0..3 {
        let page = scene.store.read(&Line::default(), &progress, None, &SLICE, 1).await.unwrap();
        found += page.events.len();
        progress = page.end;
    }
    assert_eq!(found, 3);
}

#[tokio::test]
async fn a_bare_checkpoint_is_not_lost_in_a_transaction_that_was_left_open() {
    let scene = Scene::new().await;
    let checkpoint = Checkpoint {
        shard: ShardId { consumer: "c", shard: 0 },
        seq: 1,
        progress: scene.store.mark().await.unwrap(),
        completed: Vec::new(),
        totals: Totals::default(),
        worker: Uuid::now_v7(),
        drained: false,
    };
    for statement in ["select 1", "create table mine (n int)"] {
        let checkpoint = Checkpoint { worker: Uuid::now_v7(), ..checkpoint.clone() };
        scene.other.pool().execute("truncate outbox.checkpoint").await.unwrap();
        scene.leave_open("begin", statement).await;
        let longest = Duration::from_secs(10);
        scene
            .store
            .record_alone(&Line::default(), &checkpoint, &Changes::default(), longest)
            .await
            .unwrap();
        let writer = scene.other.checkpoint_writer(&checkpoint.shard, 1).await.unwrap();
        assert_eq!(writer, Some(checkpoint.worker), "seen by others, after {statement:?}");
    }
}
