//! Looking at events, deliveries and consumers, and hearing of every change.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{
    Change, DeliveryFilter, DeliveryState, Emit, EventFilter, Notice, Own, Registered, Registry,
    Worker,
};
use outbox_tests::{Act, Db, Ping, Probe, Running, wait};

use crate::consumers::{Delayed, Ordered, Picky, Plain, Several};

crate::both! {
    stats_tell_where_every_consumer_stands,
    stats_tell_what_is_in_flight,
    events_are_found_by_what_is_known_of_them,
    deliveries_are_found_by_what_is_known_of_them,
    every_change_of_a_delivery_is_told,
    events_that_wait_and_are_delayed_are_told,
}

const SECOND: Duration = Duration::from_secs(1);

async fn emit<R, DB: Db>(
    outbox: &TestOutbox<R, DB>,
    pings: impl IntoIterator<Item = Ping>,
) -> Result<Vec<outbox_runtime::Emitted>>
where
    R: Registry + Registered<Ping, Own>,
{
    let mut tx = outbox.begin().await?;
    let emitted = outbox.emit_all(&mut tx, pings).await?;
    tx.commit().await?;
    Ok(emitted)
}

async fn stats_tell_where_every_consumer_stands<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Several, DB>::new().await?;
    assert!(outbox.stats().await?.is_empty(), "no consumer was ever seen");
    let probe = Probe::new(|consumer, ping, _| match (consumer, ping.n) {
        ("ordered", 0 | 1) => Act::Fail,
        ("plain", 4) => Act::Permanent,
        ("plain", 5) => Act::Snooze(SECOND),
        _ => Act::Succeed,
    });
    outbox.drain(probe.clone()).await?;
    emit(&outbox, (0..6).map(|n| Ping::keyed(&(n % 2).to_string(), n))).await?;
    outbox.advance(SECOND * 3600);

    let stats = outbox.stats().await?;
    let names: Vec<_> = stats.iter().map(|stats| stats.consumer.as_str()).collect();
    assert_eq!(names, ["ordered", "picky", "plain"]);
    for stats in &stats {
        assert_eq!((stats.event_name.as_str(), stats.lag_events), ("test.ping", 6));
        let lag = stats.lag.expect("it lags");
        assert!((SECOND * 3000..SECOND * 3601).contains(&lag), "{lag:?}");
        assert_eq!(stats.oldest_undelivered, stats.lag);
        assert_eq!((stats.handled, stats.retried, stats.dead_total, stats.in_flight), (0, 0, 0, 0));
    }

    outbox.drain(probe).await?;
    let stats = outbox.stats().await?;
    assert!(stats.iter().all(|stats| stats.lag_events == 0 && stats.lag.is_none()));
    let [ordered, picky, plain] = &stats[..] else { panic!("{stats:?}") };
    assert_eq!((ordered.retrying, ordered.parked, ordered.handled, ordered.retried), (2, 4, 0, 2));
    assert!(ordered.oldest_undelivered.is_some());
    assert_eq!((picky.handled, picky.oldest_undelivered), (6, None));
    assert_eq!((plain.handled, plain.dead, plain.dead_total, plain.delayed), (4, 1, 1, 1));

    outbox.discard(&DeliveryFilter::all()).await?;
    let plain = outbox.stats().await?.remove(2);
    assert_eq!((plain.dead, plain.dead_total), (0, 1));
    Ok(())
}

async fn stats_tell_what_is_in_flight<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let probe = Probe::new(|_, _, _| Act::Gate);
    let worker = Worker::new(outbox.outbox().clone(), probe.clone()).lease(SECOND * 3);
    let running = Running::worker(worker);
    emit(&outbox, (0..3).map(Ping::new)).await?;
    probe.until_called("plain", 3).await;
    wait::until("three events in flight", async || {
        outbox.stats().await.is_ok_and(|stats| stats[0].in_flight == 3)
    })
    .await;
    probe.open_gate();
    running.stop().await?;
    assert_eq!(outbox.stats().await?[0].in_flight, 0);
    Ok(())
}

async fn events_are_found_by_what_is_known_of_them<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    DB::append(outbox.pool(), "test.other", 3, Some("1"), "{}").await?;
    let emitted = emit(&outbox, (0..5).map(|n| Ping::keyed(&(n % 2).to_string(), n))).await?;
    let count = async |filter: EventFilter| anyhow::Ok(outbox.events(&filter).await?.len());
    let all = EventFilter::all;
    assert_eq!(count(all()).await?, 6);
    assert_eq!(count(all().name("test.ping")).await?, 5);
    assert_eq!(count(all().name("test.unknown")).await?, 0);
    assert_eq!(count(all().key("1")).await?, 3);
    assert_eq!(count(all().key("1").name("test.ping")).await?, 2);
    assert_eq!(count(all().id(emitted[3].id)).await?, 1);
    assert_eq!(count(all().id(emitted[3].id).name("test.other")).await?, 0);
    assert_eq!(count(all().after(emitted[2].position)).await?, 2);
    assert_eq!(count(all().limit(4)).await?, 4);
    assert_eq!(count(all().caused_by(emitted[0].id)).await?, 0);
    let event = outbox.event(emitted[3].id).await?.expect("it is in the log");
    assert_eq!((event.position, event.key.as_deref()), (emitted[3].position, Some("1")));
    assert!(outbox.event(uuid::Uuid::nil()).await?.is_none());
    Ok(())
}

async fn deliveries_are_found_by_what_is_known_of_them<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Several, DB>::new().await?;
    let emitted = emit(&outbox, (0..6).map(|n| Ping::keyed(&(n % 2).to_string(), n))).await?;
    let probe = Probe::new(|consumer, _, _| match consumer {
        "plain" => Act::Permanent,
        "ordered" => Act::Fail,
        _ => Act::Succeed,
    });
    outbox.drain(probe).await?;
    let count = async |filter: DeliveryFilter| anyhow::Ok(outbox.deliveries(&filter).await?.len());
    let all = DeliveryFilter::all;
    assert_eq!(count(all()).await?, 12);
    assert_eq!(count(all().consumer("plain")).await?, 6);
    assert_eq!(count(all().state(DeliveryState::Dead)).await?, 6);
    assert_eq!(count(all().state(DeliveryState::Retrying)).await?, 2);
    assert_eq!(count(all().state(DeliveryState::Parked)).await?, 4);
    assert_eq!(count(all().event(emitted[2].id)).await?, 2);
    assert_eq!(count(all().event(emitted[2].id).consumer("ordered")).await?, 1);
    assert_eq!(count(all().key("0").state(DeliveryState::Parked)).await?, 2);
    assert_eq!(count(all().limit(5)).await?, 5);
    let row = outbox.deliveries(&all().event(emitted[2].id).consumer("plain")).await?.remove(0);
    assert_eq!((row.event.id, row.event.position), (emitted[2].id, emitted[2].position));
    assert_eq!(row.event.key.as_deref(), Some("0"));
    Ok(())
}

/// Drains with a callback; returns what it was told, in words.
async fn told<R, DB: Db>(outbox: &TestOutbox<R, DB>, probe: &Probe) -> Result<Vec<String>>
where
    R: outbox_runtime::Consumers<DB, State = Probe>,
{
    let notices = Arc::new(Mutex::new(Vec::<Notice>::new()));
    let heard = Arc::clone(&notices);
    Worker::new(outbox.outbox().clone(), probe.clone())
        .on_change(move |notice| heard.lock().expect("no panics").push(notice.clone()))
        .drain()
        .await?;
    let notices = notices.lock().expect("no panics");
    let mut told: Vec<String> = notices
        .iter()
        .map(|notice| {
            let change = match &notice.change {
                Change::Retrying(wait, error) => format!("retrying in {wait:?}: {}", error.message),
                Change::Dead(error) => format!("dead: {}", error.message),
                Change::Snoozed(wait) => format!("snoozed for {wait:?}"),
                plain => format!("{plain:?}").to_lowercase(),
            };
            let key = notice.key.as_deref().unwrap_or("-");
            format!("{key} {}/{} {change}", notice.consumer, notice.attempt)
        })
        .collect();
    told.sort();
    Ok(told)
}

async fn every_change_of_a_delivery_is_told<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Ordered, DB>::new().await?;
    let keys = ["a", "b", "c", "d", "e", "b"];
    emit(&outbox, keys.iter().zip(0..).map(|(key, n)| Ping::keyed(key, n))).await?;
    let probe = Probe::new(|_, ping, attempt| match (ping.n, attempt) {
        (1, 1) => Act::RetryAfter(SECOND * 7),
        (2, _) => Act::Permanent,
        (3, 1) => Act::Snooze(SECOND * 5),
        (4, _) => Act::Skip,
        _ => Act::Succeed,
    });
    assert_eq!(
        told(&outbox, &probe).await?,
        [
            "a ordered/1 delivered",
            "b ordered/0 parked",
            "b ordered/1 retrying in 7s: scripted wait",
            "c ordered/1 dead: scripted permanent failure",
            "d ordered/1 snoozed for 5s",
            "e ordered/1 skipped",
        ]
    );
    outbox.advance(SECOND * 7);
    probe.rescript(|_, _, _| Act::Succeed);
    assert_eq!(
        told(&outbox, &probe).await?,
        ["b ordered/1 delivered", "b ordered/2 delivered", "d ordered/1 delivered"]
    );
    Ok(())
}

async fn events_that_wait_and_are_delayed_are_told<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Delayed, DB>::new().await?;
    emit(&outbox, [Ping::keyed("a", 1)]).await?;
    DB::append(outbox.pool(), "test.ping", 9, Some("b"), "{}").await?;
    assert_eq!(
        told(&outbox, &Probe::default()).await?,
        ["a delayed/0 delayed", "b delayed/0 waiting"]
    );
    let outbox = TestOutbox::<Picky, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, Emit::new(Ping::new(1)).key("a")).await?;
    tx.commit().await?;
    assert_eq!(told(&outbox, &Probe::default()).await?, ["a picky/1 skipped"]);
    Ok(())
}
