use super::*;
use crate::error::ErrorKind;
use crate::store::types::Totals;
use crate::store::{Changes, Checkpoint, Heartbeat};

async fn registered() -> (File, SqliteStore) {
    let (file, store) = migrated().await;
    store.register(&[registration("c", Start::Beginning)]).await.unwrap();
    (file, store)
}

fn checkpoint(seq: i64, worker: Uuid, position: i64) -> Checkpoint<LogProgress> {
    Checkpoint {
        shard: shard("c"),
        seq,
        progress: after(position),
        completed: vec![position + 2, i64::MAX],
        totals: Totals { handled: 3, retried: 2, dead: 1 },
        worker,
        drained: false,
    }
}

async fn record(store: &SqliteStore, checkpoint: &Checkpoint<LogProgress>) -> crate::Result<()> {
    let mut connection = store.pool().acquire().await.unwrap();
    store.record(&mut connection, checkpoint, &Changes::default()).await.map(drop)
}

#[tokio::test]
async fn of_two_workers_that_append_one_checkpoint_the_second_has_lost_its_lease() {
    let (file, store) = registered().await;
    let (one, two) = (Uuid::now_v7(), Uuid::now_v7());
    record(&store, &checkpoint(1, one, 5)).await.unwrap();
    let error = record(&file.store(), &checkpoint(1, two, 6)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LeaseLost);
    assert_eq!(store.checkpoint_writer(&shard("c"), 1).await.unwrap(), Some(one));
    assert_eq!(store.checkpoint_writer(&shard("c"), 0).await.unwrap(), None);
    assert_eq!(store.checkpoint_writer(&shard("c"), 2).await.unwrap(), None);
}

#[tokio::test]
async fn a_worker_that_was_taken_over_changes_nothing() {
    let (file, store) = registered().await;
    let (one, two) = (Uuid::now_v7(), Uuid::now_v7());
    assert_eq!(take(&store, &shard("c"), &Slice::whole("a"), one).await.unwrap().seq, 1);
    record(&store, &checkpoint(2, one, 5)).await.unwrap();
    let taken = take(&file.store(), &shard("c"), &Slice::whole("a"), two).await.unwrap();
    assert_eq!((taken.seq, taken.progress), (3, after(5)));
    assert_eq!(taken.completed, [7, i64::MAX]);
    assert_eq!(taken.totals, Totals { handled: 3, retried: 2, dead: 1 });

    let mut tx = store.begin().await.unwrap();
    store.append(&mut tx, vec![event("effect", None)], TTL).await.unwrap();
    let late = store.record(&mut tx, &checkpoint(3, one, 9), &Changes::default()).await;
    assert_eq!(late.unwrap_err().kind(), ErrorKind::LeaseLost);
    drop(tx);
    assert_eq!(store.progress_now().await.unwrap(), after(0));
    record(&store, &checkpoint(4, two, 9)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_take_overs_at_once_get_eight_epochs() {
    let (file, store) = registered().await;
    let worker = Uuid::now_v7();
    store.acquire(worker, &[shard("c")], TTL).await.unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let store = file.store();
            tokio::spawn(async move {
                store.take_over(&shard("c"), &Slice::whole("a"), worker).await.unwrap().seq
            })
        })
        .collect();
    let mut epochs = Vec::new();
    for task in tasks {
        epochs.push(task.await.unwrap());
    }
    epochs.sort_unstable();
    assert!(epochs.iter().copied().eq(1..=8));
}

#[tokio::test]
async fn a_shard_that_was_never_registered_cannot_be_taken_over() {
    let (_file, store) = migrated().await;
    let error = take(&store, &shard("c"), &Slice::whole("a"), Uuid::now_v7()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LeaseLost);
}

#[tokio::test]
async fn a_lease_is_had_by_one_worker_until_it_expires_or_is_handed_back() {
    let (file, store) = registered().await;
    let (one, two) = (Uuid::now_v7(), Uuid::now_v7());
    let shards = [shard("c")];
    let taken = store.acquire(one, &shards, TTL).await.unwrap();
    assert_eq!(taken, [(shard("c"), false)]);
    let other = file.store();
    assert_eq!(other.acquire(two, &shards, TTL).await.unwrap(), []);
    assert_eq!(other.renew(&alive(two, TTL), &[(shard("c"), 0)]).await.unwrap(), []);
    // Renewed so that it has expired at once.
    let expired = alive(one, Duration::ZERO);
    assert_eq!(store.renew(&expired, &[(shard("c"), 3)]).await.unwrap(), shards);
    let taken = other.acquire(two, &shards, TTL).await.unwrap();
    assert_eq!(taken, [(shard("c"), true)], "taken from a worker that had not handed it back");
    assert_eq!(store.renew(&alive(one, TTL), &[(shard("c"), 3)]).await.unwrap(), []);

    other.release(two, &shards, true).await.unwrap();
    let taken = store.acquire(one, &shards, TTL).await.unwrap();
    assert_eq!(taken, [(shard("c"), false)], "handed back, so nothing was left undone");
    store.forget_worker(two).await.unwrap();
    let workers: Vec<Uuid> = store.workers().await.unwrap().iter().map(|one| one.id).collect();
    assert_eq!(workers, [one]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_workers_at_once_one_gets_the_lease() {
    let (file, _store) = registered().await;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let store = file.store();
            tokio::spawn(async move {
                store.acquire(Uuid::now_v7(), &[shard("c")], TTL).await.unwrap().len()
            })
        })
        .collect();
    let mut taken = 0;
    for task in tasks {
        taken += task.await.unwrap();
    }
    assert_eq!(taken, 1);
}

#[tokio::test]
async fn a_consumer_starts_now_or_at_the_beginning_and_keeps_its_shards() {
    let (_file, store) = migrated().await;
    emit(&store, vec![event("a", None)]).await;
    let consumers = [registration("old", Start::Beginning), registration("new", Start::Now)];
    assert_eq!(shards(store.register(&consumers).await.unwrap()), [1, 1]);
    emit(&store, vec![event("a", None)]).await;
    let more = Registration { shards: 4, ..registration("new", Start::Now) };
    assert_eq!(shards(store.register(&[more]).await.unwrap()), [1]);
    for (name, expected) in [("old", 0), ("new", 1)] {
        let taken = take(&store, &shard(name), &Slice::whole("a"), Uuid::now_v7()).await.unwrap();
        assert_eq!(taken.progress, after(expected), "{name}");
    }
    let lags: Vec<_> = store.stats().await.unwrap().iter().map(|stats| stats.lag_events).collect();
    assert_eq!(lags, [1, 2]);
}

#[tokio::test]
async fn checkpoints_are_trimmed_up_to_a_number() {
    let (file, _store) = registered().await;
    // In the middle of a minute.
    let clock = Clock::manual("2030-01-01T00:00:30Z".parse().unwrap());
    let store = SqliteStore::new(file.store().pool().clone(), &Namespace::default(), clock.clone());
    let worker = Uuid::now_v7();
    for seq in 1..=6 {
        record(&store, &checkpoint(seq, worker, seq)).await.unwrap();
        if seq == 2 {
            clock.advance(Duration::from_secs(60));
        }
    }
    store.trim_checkpoints(&shard("c"), 4).await.unwrap();
    for (seq, kept) in [(1, false), (2, true), (3, false), (4, false), (5, true), (6, true)] {
        let writer = store.checkpoint_writer(&shard("c"), seq).await.unwrap();
        assert_eq!(writer.is_some(), kept, "{seq}: one of each minute is kept");
    }
    clock.advance(Duration::from_secs(25 * 3600));
    store.trim_checkpoints(&shard("c"), 4).await.unwrap();
    assert_eq!(store.checkpoint_writer(&shard("c"), 2).await.unwrap(), None);
    let taken = take(&store, &shard("c"), &Slice::whole("a"), worker).await.unwrap();
    assert_eq!((taken.seq, taken.progress), (7, after(6)));
}

/// As after a long pause: what the worker would collide with has been trimmed by then, though not
/// its own last checkpoint, which was the last of its minute.
#[tokio::test]
async fn a_worker_whose_number_was_trimmed_changes_nothing() {
    let (_file, store) = registered().await;
    let (one, two) = (Uuid::now_v7(), Uuid::now_v7());
    for (seq, worker) in [(1, one), (2, two), (3, two)] {
        record(&store, &checkpoint(seq, worker, seq)).await.unwrap();
    }
    let delete = sqlx::query("delete from outbox_checkpoint where seq = 2");
    delete.execute(store.pool()).await.unwrap();
    let late = record(&store, &checkpoint(2, one, 1)).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::LeaseLost);
    record(&store, &checkpoint(4, two, 4)).await.unwrap();
}

/// Everything that writes waits for the write lock; what only reads does not notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_wait_for_a_writer_and_readers_not_at_all() {
    let (file, store) = registered().await;
    let worker = Uuid::now_v7();
    store.acquire(worker, &[shard("c")], TTL).await.unwrap();
    let holder = file.store().begin().await.unwrap();

    // A reader that waited for the lock would have to give up.
    store.read(&Line::default(), &after(0), None, &Slice::whole("a"), 10).await.unwrap();
    store.probe(&mut after(0), &["c"]).await.unwrap();
    store.stats().await.unwrap();
    store.check_format().await.unwrap();
    assert_eq!(store.free_leases(&["c"]).await.unwrap(), []);
    store.fleet().await.unwrap();

    // This is how long the lock is held, not a wait for something: nobody tells that a writer waits
    // for it. Longer than their first tries take, and four seconds less than they wait, in which all
    // eight take their turns.
    let release = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        holder.rollback().await.unwrap();
    });
    let living = alive(worker, TTL);
    let (c, held) = ([shard("c")], [(shard("c"), 0)]);
    let other = [ShardId { consumer: "c", shard: 1 }];
    let one = checkpoint(1, worker, 1);
    let start = [registration("d", Start::Now)];
    // Each on connections of its own, as SQLite is told to wait by connection.
    let stores: Vec<_> = (0..8).map(|_| file.store()).collect();
    let (migrate, renew, acquire, record, register, emitted, trim, sql) = tokio::join!(
        stores[0].migrate(),
        stores[1].renew(&living, &held),
        stores[2].acquire(worker, &other, TTL),
        record(&stores[3], &one),
        stores[4].register(&start),
        emit(&stores[5], vec![event("a", None)]),
        stores[6].trim_dedup(),
        append_in_a_plain_transaction(&stores[7]),
    );
    release.await.unwrap();
    migrate.unwrap();
    assert_eq!(renew.unwrap(), c);
    assert_eq!(acquire.unwrap().len(), 1);
    record.unwrap();
    register.unwrap();
    trim.unwrap();
    assert_eq!(emitted.len() + sql.len(), 2);
}

fn alive(worker: Uuid, ttl: Duration) -> Heartbeat<'static> {
    Heartbeat { worker, consumers: &["c"], leaving: false, ttl }
}

/// As a user does who begins with sqlx: a transaction that has not read yet can still wait.
async fn append_in_a_plain_transaction(store: &SqliteStore) -> Vec<Emitted> {
    let mut tx = store.pool().begin().await.unwrap();
    let event = NewEvent { dedup_key: Some("k".to_owned()), ..event("a", None) };
    let emitted = store.append(&mut tx, vec![event], TTL).await.unwrap();
    tx.commit().await.unwrap();
    emitted
}

fn shards(known: Vec<crate::store::Registered>) -> Vec<u32> {
    known.iter().map(|consumer| consumer.shards).collect()
}
