//! Emitting: what commits is delivered, and nothing else.

use std::sync::{Arc, Mutex};

use anyhow::Result;
use chrono::{DateTime, Utc};
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{Delivery, Emit, Event, EventFilter, State, consumer, headers, registry};
use outbox_tests::{Db, Ping, Probe};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::consumers::{Delayed, Plain};

crate::both! {
    committed_events_are_delivered_and_rolled_back_ones_are_not,
    many_events_keep_their_order_and_tell_their_ids_and_positions,
    events_commit_with_the_data_of_a_plain_sqlx_transaction,
    a_savepoint_that_is_rolled_back_takes_its_events_along,
    options_travel_with_the_event,
    numbers_beyond_2_to_the_53_come_back_exactly,
    a_payload_nested_128_deep_is_delivered,
    text_of_every_script_comes_back_exactly,
    two_thousand_events_in_one_statement_are_all_delivered,
}

async fn committed_events_are_delivered_and_rolled_back_ones_are_not<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, Ping::new(1)).await?;
    tx.commit().await?;
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, Ping::new(2)).await?;
    tx.rollback().await?;
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, Ping::new(3)).await?;
    drop(tx);

    let probe = Probe::default();
    let tally = outbox.drain(probe.clone()).await?;

    assert_eq!(probe.numbers("plain"), [1]);
    assert_eq!(tally.handled, 1);
    assert_eq!(outbox.emitted::<Ping>().await?, [Ping::new(1)]);
    Ok(())
}

async fn many_events_keep_their_order_and_tell_their_ids_and_positions<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    let emitted = outbox.emit_all(&mut tx, (0..100).map(Ping::new)).await?;
    let none = outbox.emit_all(&mut tx, Vec::<Ping>::new()).await?;
    let last = outbox.emit(&mut tx, Ping::new(100)).await?;
    tx.commit().await?;

    assert!(none.is_empty());
    let stored = outbox.events(&EventFilter::all()).await?;
    assert_eq!(outbox.emitted::<Ping>().await?, (0..=100).map(Ping::new).collect::<Vec<_>>());
    assert_eq!(stored.len(), 101);
    for (emitted, stored) in emitted.iter().chain([&last]).zip(&stored) {
        assert_eq!((emitted.id, emitted.position), (stored.id, stored.position));
        assert_eq!(emitted.id.get_version_num(), 7);
        assert!(!emitted.duplicate);
    }
    assert!(stored.is_sorted_by(|a, b| a.position < b.position));
    assert!(stored[0].position > 0);
    Ok(())
}

async fn events_commit_with_the_data_of_a_plain_sqlx_transaction<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    DB::execute(outbox.pool(), "create table machine (id bigint primary key)").await?;
    for (id, commits) in [(1, true), (2, false)] {
        let mut tx = outbox.pool().begin().await?;
        DB::run(&mut tx, &format!("insert into machine values ({id})")).await?;
        outbox.emit(&mut tx, Ping::new(id)).await?;
        if commits { tx.commit().await? } else { tx.rollback().await? }
    }

    let probe = Probe::default();
    outbox.drain(probe.clone()).await?;

    assert_eq!(probe.numbers("plain"), [1]);
    assert_eq!(DB::number(outbox.pool(), "select max(id) from machine").await?, 1);
    Ok(())
}

async fn a_savepoint_that_is_rolled_back_takes_its_events_along<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, Ping::new(1)).await?;
    let mut savepoint = tx.savepoint().await?;
    outbox.emit(savepoint.tx(), Ping::new(2)).await?;
    savepoint.release().await?;
    let mut savepoint = tx.savepoint().await?;
    outbox.emit(savepoint.tx(), Ping::new(3)).await?;
    savepoint.rollback().await?;
    let mut savepoint = tx.savepoint().await?;
    outbox.emit(savepoint.tx(), Ping::new(4)).await?;
    drop(savepoint);
    outbox.emit(&mut tx, Ping::new(5)).await?;
    tx.commit().await?;

    let probe = Probe::default();
    outbox.drain(probe.clone()).await?;

    let mut numbers = probe.numbers("plain");
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 5]);
    Ok(())
}

async fn options_travel_with_the_event<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let happened: DateTime<Utc> = "2026-01-31T09:00:00.123456Z".parse()?;
    let emit = Emit::new(Ping::keyed("own", 1))
        .key("other")
        .header("tenant", "acme \u{1f980} \"quoted\"")
        .occurred_at(happened);
    let mut tx = outbox.begin().await?;
    let emitted = outbox.emit(&mut tx, emit).await?;
    let both = [Emit::new(Ping::new(2)).header("part", "1"), Emit::new(Ping::new(3))];
    outbox.emit_all(&mut tx, both).await?;
    tx.commit().await?;

    let stored = outbox.event(emitted.id).await?.expect("it was committed");
    assert_eq!((stored.name.as_str(), stored.version), (Ping::NAME, Ping::VERSION));
    assert_eq!(stored.position, emitted.position);
    assert!((outbox.now().await? - stored.created_at).abs() < chrono::TimeDelta::minutes(10));

    let probe = Probe::default();
    outbox.drain(probe.clone()).await?;
    let mut seen = probe.seen();
    seen.sort_by_key(|seen| seen.n);
    assert_eq!(seen[0].id, emitted.id);
    assert_eq!(seen[0].key.as_deref(), Some("other"));
    assert_eq!(seen[0].headers.get("tenant"), Some("acme \u{1f980} \"quoted\""));
    assert_eq!(seen[0].headers.get(headers::OCCURRED_AT), Some("2026-01-31T09:00:00.123456Z"));
    assert_eq!(seen[1].headers.get("part"), Some("1"));
    assert!(seen[2].headers.is_empty(), "{:?}", seen[2].headers);
    Ok(())
}

/// An event that can hold anything.
#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "test.anything", version = 1)]
pub(crate) struct Anything {
    value: Value,
    unsigned: u64,
    signed: i64,
}

impl Anything {
    fn holding(value: Value) -> Self {
        Self { value, unsigned: 0, signed: 0 }
    }
}

type Taken = Arc<Mutex<Vec<Anything>>>;

#[consumer(name = "take", start = beginning)]
async fn take(event: Anything, State(taken): State<Taken>) {
    taken.lock().expect("no panics").push(event);
}

/// By way of a row, which copies the payload.
#[consumer(name = "take-later", start = beginning, delay = "1h")]
async fn take_later(event: Delivery<Anything>, State(taken): State<Taken>) {
    taken.lock().expect("no panics").push(event.into_event());
}

registry! {
    struct Whatever;
    state: Taken,
    events: [Anything],
    consumers: [take, take_later],
}

/// What two consumers receive: one directly, one by way of a row.
async fn delivered<DB: Db>(event: &Anything) -> Result<Vec<Anything>> {
    let outbox = TestOutbox::<Whatever, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, event.clone()).await?;
    outbox.emit_all(&mut tx, [event.clone(), event.clone()]).await?;
    tx.commit().await?;
    assert_eq!(outbox.emitted::<Anything>().await?, vec![event.clone(); 3]);
    let taken = Taken::default();
    outbox.drain(taken.clone()).await?;
    assert_eq!(taken.lock().expect("no panics").len(), 3);
    outbox.advance(std::time::Duration::from_secs(7200));
    outbox.drain(taken.clone()).await?;
    assert!(outbox.deliveries(&outbox_runtime::DeliveryFilter::all()).await?.is_empty());
    let taken = taken.lock().expect("no panics").clone();
    Ok(taken)
}

async fn numbers_beyond_2_to_the_53_come_back_exactly<DB: Db>() -> Result<()> {
    let value = serde_json::json!([9_007_199_254_740_993_u64, u64::MAX, i64::MIN, -0.1, 1e300]);
    let event = Anything { value, unsigned: u64::MAX, signed: i64::MIN };
    assert_eq!(delivered::<DB>(&event).await?, vec![event; 6]);
    Ok(())
}

async fn a_payload_nested_128_deep_is_delivered<DB: Db>() -> Result<()> {
    // One level is the event's own object.
    let nested = (0..127).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    let event = Anything::holding(nested);
    assert_eq!(delivered::<DB>(&event).await?, vec![event; 6]);
    Ok(())
}

async fn text_of_every_script_comes_back_exactly<DB: Db>() -> Result<()> {
    let text = "línea\n\t\"\\ / \u{1}\u{7f} 🦀 日本語 \u{feff}\u{202e}rtl \\u0000 (as text)";
    let event = Anything::holding(serde_json::json!({ text: [text, { "": {} }, []] }));
    assert_eq!(delivered::<DB>(&event).await?, vec![event; 6]);
    Ok(())
}

async fn two_thousand_events_in_one_statement_are_all_delivered<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Delayed, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    outbox.emit_all(&mut tx, (0..2000).map(|n| Ping::keyed(&(n % 7).to_string(), n))).await?;
    tx.commit().await?;
    let probe = Probe::default();
    outbox.drain(probe.clone()).await?;
    assert!(probe.seen().is_empty());

    outbox.advance(std::time::Duration::from_secs(7200));
    let tally = outbox.drain(probe.clone()).await?;

    assert_eq!(tally.handled, 2000);
    let mut numbers = probe.numbers("delayed");
    numbers.sort_unstable();
    assert_eq!(numbers, (0..2000).collect::<Vec<_>>());
    Ok(())
}
