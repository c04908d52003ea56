use std::sync::Arc;

use super::*;
use crate::event::StoredEvent;
use crate::store::types::Totals;
use crate::store::{
    AttemptError, AuditEntry, Changes, Checkpoint, DeliveryFilter, DeliveryInfo, DeliveryState,
    Due, DueQuery, NewDelivery, UpdatedDelivery,
};

/// A store with a consumer `c`, a clock, and five events: keys k, k, k, l, none.
struct Scene {
    store: SqliteStore,
    clock: Clock,
    events: Vec<Arc<StoredEvent>>,
    seq: i64,
    _file: File,
}

impl Scene {
    async fn new() -> Self {
        let clock = Clock::manual(noon());
        let file = File::new();
        let store = file.store_at(&clock);
        store.migrate().await.unwrap();
        store.register(&[registration("c", Start::Beginning)]).await.unwrap();
        let keys = [Some("k"), Some("k"), Some("k"), Some("l"), None];
        emit(&store, keys.map(|key| event("a", key)).into()).await;
        let page =
            store.read(&Line::default(), &after(0), None, &Slice::whole("a"), 10).await.unwrap();
        Self { store, clock, events: page.events, seq: 0, _file: file }
    }

    fn row(&self, index: usize, state: DeliveryState, due: Due) -> NewDelivery {
        let event = Arc::clone(&self.events[index]);
        let key_hash = key_hash(event.key.as_deref(), event.id);
        NewDelivery { event, key_hash, state, attempts: 0, due, started: false, error: None }
    }

    async fn record(&mut self, changes: Changes) -> Vec<String> {
        self.seq += 1;
        let checkpoint = Checkpoint {
            shard: shard("c"),
            seq: self.seq,
            progress: after(5),
            completed: vec![],
            totals: Totals::default(),
            worker: Uuid::now_v7(),
            drained: false,
        };
        let changes = Changes { dead_holds_key: true, ..changes };
        let mut tx = self.store.begin().await.unwrap();
        let recorded = self.store.record(&mut tx, &checkpoint, &changes).await.unwrap();
        tx.commit().await.unwrap();
        recorded.still_held
    }

    async fn due(&self, ordered: bool) -> Vec<i64> {
        let query = DueQuery {
            consumer: "c",
            slice: Slice::whole("a"),
            ordered,
            except: vec![],
            limit: 10,
        };
        let rows = self.store.due(&query).await.unwrap();
        rows.iter().map(|row| row.event.position).collect()
    }

    async fn listed(&self) -> Vec<DeliveryInfo> {
        self.store.deliveries(&DeliveryFilter::all()).await.unwrap()
    }
}

fn failure(attempt: u32, kind: &str) -> AttemptError {
    AttemptError {
        attempt,
        at: noon(),
        kind: kind.to_owned(),
        message: "it's \"broken\" 😀".to_owned(),
        chain: vec!["because".to_owned()],
    }
}

fn update(position: i64, state: DeliveryState, due: Due) -> UpdatedDelivery {
    UpdatedDelivery { position, state, attempts: 2, due, started: false, error: None }
}

#[tokio::test]
async fn a_delivery_is_stored_with_its_event_and_every_error() {
    let mut scene = Scene::new().await;
    let row = NewDelivery {
        attempts: 1,
        error: Some(failure(1, "error")),
        ..scene.row(0, DeliveryState::Retrying, Due::In(Duration::from_secs(10)))
    };
    scene.record(Changes { insert: vec![row], ..Changes::default() }).await;
    scene.clock.advance(Duration::from_secs(3));
    let changed = UpdatedDelivery {
        error: Some(failure(2, "crash")),
        ..update(1, DeliveryState::Retrying, Due::In(Duration::from_secs(10)))
    };
    scene.record(Changes { update: vec![changed], ..Changes::default() }).await;

    let listed = scene.listed().await;
    let [delivery] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!(delivery.errors, [failure(1, "error"), failure(2, "crash")]);
    assert_eq!(delivery.first_failed_at, Some(noon()));
    assert_eq!(delivery.due_at, Some(noon() + Duration::from_secs(13)));
    assert_eq!((delivery.attempts, delivery.state), (2, DeliveryState::Retrying));
    let event = &scene.events[0];
    assert_eq!(delivery.event.id, event.id);
    assert_eq!(delivery.event.key, event.key);
    assert_eq!(delivery.event.payload.get(), event.payload.get());
    assert_eq!(delivery.event.created_at, event.created_at);

    assert_eq!(scene.due(true).await, Vec::<i64>::new());
    let waits = scene.store.next_due(&["other", "c"]).await.unwrap();
    assert_eq!(waits, [None, Some(Duration::from_secs(10))]);
    scene.clock.advance(Duration::from_secs(10));
    assert_eq!(scene.due(true).await, [1]);
    let query = DueQuery {
        consumer: "c",
        slice: Slice::whole("a"),
        ordered: true,
        except: vec![],
        limit: 10,
    };
    let due = scene.store.due(&query).await.unwrap();
    assert!(due[0].crashed && !due[0].started);
    let except = DueQuery { except: vec![1, 7], ..query };
    assert!(scene.store.due(&except).await.unwrap().is_empty());
}

#[tokio::test]
async fn parked_deliveries_follow_their_head_one_by_one() {
    let mut scene = Scene::new().await;
    let now = Due::At(noon());
    let insert = vec![
        scene.row(0, DeliveryState::Retrying, now),
        scene.row(1, DeliveryState::Parked, Due::Never),
        scene.row(2, DeliveryState::Parked, Due::Never),
        scene.row(3, DeliveryState::Retrying, now),
        scene.row(4, DeliveryState::Delayed, Due::At(noon() + Duration::from_secs(1))),
    ];
    scene.record(Changes { insert, ..Changes::default() }).await;
    assert_eq!(scene.due(true).await, [1, 4]);
    assert_eq!(scene.store.next_due(&["c"]).await.unwrap(), [Some(Duration::ZERO)]);

    let release = vec!["k".to_owned(), "l".to_owned()];
    let changes = Changes { delete: vec![1, 4], release, ..Changes::default() };
    assert_eq!(scene.record(changes).await, ["k"]);
    assert_eq!(scene.due(true).await, [2]);
    let changes = Changes { delete: vec![2], release: vec!["k".to_owned()], ..Changes::default() };
    assert_eq!(scene.record(changes).await, ["k"]);
    assert_eq!(scene.due(true).await, [3]);
    let changes = Changes { delete: vec![3], release: vec!["k".to_owned()], ..Changes::default() };
    assert_eq!(scene.record(changes).await, Vec::<String>::new());
    assert_eq!(scene.listed().await.len(), 1);
}

#[tokio::test]
async fn a_dead_letter_holds_its_key_until_it_is_redriven_or_discarded() {
    let mut scene = Scene::new().await;
    let insert = vec![
        scene.row(0, DeliveryState::Dead, Due::Never),
        scene.row(1, DeliveryState::Parked, Due::Never),
        scene.row(3, DeliveryState::Dead, Due::Never),
    ];
    scene.record(Changes { insert, ..Changes::default() }).await;
    assert_eq!(scene.due(true).await, Vec::<i64>::new());
    let taken = take(&scene.store, &shard("c"), &Slice::whole("a"), Uuid::now_v7()).await.unwrap();
    scene.seq = taken.seq;
    let mut held = taken.held_keys;
    held.sort();
    assert_eq!(held, ["k", "l"]);
    assert!(taken.has_deliveries);

    let stats = scene.store.stats().await.unwrap();
    assert_eq!((stats[0].dead, stats[0].parked, stats[0].lag_events), (2, 1, 0));
    assert_eq!(stats[0].oldest_undelivered, Some(Duration::ZERO));

    let id = scene.events[3].id;
    assert_eq!(
        scene.store.redrive(&DeliveryFilter::all().event(id), None, 100).await.unwrap().len(),
        1
    );
    assert_eq!(scene.due(true).await, [4]);
    assert_eq!(scene.store.discard(&DeliveryFilter::all(), None, 5).await.unwrap().len(), 1);
    assert_eq!(scene.due(true).await, [2, 4]);
    assert_eq!(scene.store.discard(&DeliveryFilter::all(), None, 100).await.unwrap().len(), 0);
}

#[tokio::test]
async fn what_is_parked_behind_a_dead_letter_that_was_just_discarded_runs() {
    let mut scene = Scene::new().await;
    let insert = vec![scene.row(0, DeliveryState::Dead, Due::Never)];
    scene.record(Changes { insert, ..Changes::default() }).await;
    // The worker has read that the key is held, and has not recorded what it parked.
    assert_eq!(scene.store.discard(&DeliveryFilter::all(), None, 100).await.unwrap().len(), 1);
    let insert = vec![
        scene.row(1, DeliveryState::Parked, Due::Never),
        scene.row(2, DeliveryState::Parked, Due::Never),
    ];
    let release = vec!["k".to_owned()];
    assert_eq!(scene.record(Changes { insert, release, ..Changes::default() }).await, ["k"]);
    assert_eq!(scene.due(true).await, [2]);
}

#[tokio::test]
async fn taking_over_frees_what_waited_for_a_version_or_for_nothing() {
    let mut scene = Scene::new().await;
    let insert = vec![
        scene.row(0, DeliveryState::Parked, Due::Never),
        scene.row(1, DeliveryState::Parked, Due::Never),
        scene.row(3, DeliveryState::Waiting, Due::Never),
    ];
    scene.record(Changes { insert, ..Changes::default() }).await;
    assert_eq!(scene.due(true).await, Vec::<i64>::new());
    let older = Slice { event_version: 0, ..Slice::whole("a") };
    take(&scene.store, &shard("c"), &older, Uuid::now_v7()).await.unwrap();
    assert_eq!(scene.due(true).await, [1]);
    take(&scene.store, &shard("c"), &Slice::whole("a"), Uuid::now_v7()).await.unwrap();
    assert_eq!(scene.due(true).await, [1, 4]);
}

#[tokio::test]
async fn an_attempt_that_was_recorded_first_is_known_to_have_begun() {
    let mut scene = Scene::new().await;
    let row = NewDelivery {
        started: true,
        attempts: 1,
        ..scene.row(4, DeliveryState::Retrying, Due::At(noon()))
    };
    let audit = AuditEntry {
        position: 5,
        event_id: scene.events[4].id,
        outcome: "done",
        note: Some("a note".to_owned()),
        attempt: 1,
    };
    let changes =
        Changes { insert: vec![row], audit: vec![audit.clone(), audit], ..Changes::default() };
    scene.record(changes).await;
    let query = DueQuery {
        consumer: "c",
        slice: Slice::whole("a"),
        ordered: true,
        except: vec![],
        limit: 10,
    };
    let due = scene.store.due(&query).await.unwrap();
    assert!(due[0].started && !due[0].crashed);
    assert_eq!((due[0].attempts, due[0].event.key.as_deref()), (1, None));
    let notes: Vec<(Uuid, String)> = sqlx::query_as("select event_id, note from outbox_audit")
        .fetch_all(scene.store.pool())
        .await
        .unwrap();
    assert_eq!(notes, [(scene.events[4].id, "a note".to_owned())]);
}
