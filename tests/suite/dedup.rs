//! Dedup keys: one event, however often it is emitted.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{Emit, Event, EventFilter, registry};
use outbox_tests::{Db, Ping, Probe};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::consumers::{Plain, plain};

crate::both! {
    a_second_emit_writes_nothing_and_returns_the_first_id,
    a_second_emit_in_the_same_transaction_writes_nothing,
    a_key_belongs_to_one_event_name,
    a_rolled_back_emit_leaves_its_key_free,
    an_expired_key_counts_as_free,
    of_many_concurrent_transactions_one_wins,
    a_transaction_that_waited_wins_when_the_first_one_rolls_back,
    in_a_list_only_repeated_keys_are_left_out,
}

fn once(n: u64, key: &str) -> Emit<Ping> {
    Emit::new(Ping::new(n)).dedup_key(key)
}

async fn a_second_emit_writes_nothing_and_returns_the_first_id<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    let first = outbox.emit(&mut tx, once(1, "stripe-1")).await?;
    tx.commit().await?;
    let mut tx = outbox.begin().await?;
    let second = outbox.emit(&mut tx, once(2, "stripe-1")).await?;
    let other = outbox.emit(&mut tx, once(3, "stripe-2")).await?;
    tx.commit().await?;

    assert!(!first.duplicate && second.duplicate && !other.duplicate);
    assert_eq!((second.id, second.position), (first.id, first.position));
    assert_ne!(other.id, first.id);
    assert_eq!(outbox.emitted::<Ping>().await?, [Ping::new(1), Ping::new(3)]);
    let stored = outbox.event(first.id).await?.expect("it was committed");
    assert_eq!(stored.position, first.position);
    let probe = Probe::default();
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.seen().len(), 2);
    Ok(())
}

async fn a_second_emit_in_the_same_transaction_writes_nothing<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    let first = outbox.emit(&mut tx, once(1, "a")).await?;
    let second = outbox.emit(&mut tx, once(2, "a")).await?;
    tx.commit().await?;
    assert!(!first.duplicate && second.duplicate);
    assert_eq!((second.id, second.position), (first.id, first.position));
    assert_eq!(outbox.emitted::<Ping>().await?, [Ping::new(1)]);
    Ok(())
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "test.pong", version = 1)]
struct Pong {}

registry! {
    struct PingPong;
    state: Probe,
    events: [Ping, Pong],
    consumers: [plain],
}

async fn a_key_belongs_to_one_event_name<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<PingPong, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, once(1, "a")).await?;
    let pong = outbox.emit(&mut tx, Emit::new(Pong {}).dedup_key("a")).await?;
    tx.commit().await?;
    assert!(!pong.duplicate);
    assert_eq!(outbox.events(&EventFilter::all()).await?.len(), 2);
    Ok(())
}

async fn a_rolled_back_emit_leaves_its_key_free<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, once(1, "a")).await?;
    tx.rollback().await?;
    let mut tx = outbox.begin().await?;
    let second = outbox.emit(&mut tx, once(2, "a")).await?;
    tx.commit().await?;
    assert!(!second.duplicate);
    assert_eq!(outbox.emitted::<Ping>().await?, [Ping::new(2)]);
    Ok(())
}

async fn an_expired_key_counts_as_free<DB: Db>() -> Result<()> {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let mut emitted = Vec::new();
    for n in 0..3 {
        let mut tx = outbox.begin().await?;
        emitted.push(outbox.emit(&mut tx, once(n, "a")).await?);
        tx.commit().await?;
        outbox.advance(DAY * 4);
    }
    let duplicates: Vec<bool> = emitted.iter().map(|emitted| emitted.duplicate).collect();
    assert_eq!(duplicates, [false, true, false], "the key is kept for seven days");
    assert_ne!(emitted[2].id, emitted[0].id);
    assert_eq!(outbox.emitted::<Ping>().await?, [Ping::new(0), Ping::new(2)]);
    let mut tx = outbox.begin().await?;
    let again = outbox.emit(&mut tx, once(3, "a")).await?;
    tx.commit().await?;
    assert_eq!((again.duplicate, again.id), (true, emitted[2].id));
    Ok(())
}

async fn of_many_concurrent_transactions_one_wins<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let barrier = Arc::new(tokio::sync::Barrier::new(6));
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..6 {
        let (outbox, barrier) = (outbox.outbox().clone(), Arc::clone(&barrier));
        tasks.spawn(async move {
            barrier.wait().await;
            let mut tx = outbox.begin().await?;
            let emitted = outbox.emit(&mut tx, once(n, "a")).await?;
            tx.commit().await?;
            anyhow::Ok(emitted)
        });
    }
    let emitted = tasks.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
    assert_eq!(emitted.iter().filter(|emitted| !emitted.duplicate).count(), 1, "{emitted:?}");
    assert!(emitted.iter().all(|other| other.id == emitted[0].id), "{emitted:?}");
    assert_eq!(outbox.emitted::<Ping>().await?.len(), 1);
    Ok(())
}

async fn a_transaction_that_waited_wins_when_the_first_one_rolls_back<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let mut first = outbox.begin().await?;
    outbox.emit(&mut first, once(1, "a")).await?;
    let second = tokio::spawn({
        let outbox = outbox.outbox().clone();
        async move {
            let mut tx = outbox.begin().await?;
            let emitted = outbox.emit(&mut tx, once(2, "a")).await?;
            tx.commit().await?;
            anyhow::Ok(emitted)
        }
    });
    tokio::task::yield_now().await;
    first.rollback().await?;
    assert!(!second.await??.duplicate);
    assert_eq!(outbox.emitted::<Ping>().await?, [Ping::new(2)]);
    Ok(())
}

async fn in_a_list_only_repeated_keys_are_left_out<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let list = [once(1, "a"), Emit::new(Ping::new(2)), once(3, "b"), once(4, "a")];
    let mut tx = outbox.begin().await?;
    let emitted = outbox.emit_all(&mut tx, list).await?;
    tx.commit().await?;
    let duplicates: Vec<bool> = emitted.iter().map(|emitted| emitted.duplicate).collect();
    assert_eq!(duplicates, [false, false, false, true]);
    assert_eq!(emitted[3].id, emitted[0].id);
    assert_eq!(outbox.emitted::<Ping>().await?, [1, 2, 3].map(Ping::new));
    Ok(())
}
