//! Order by key.

use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{DeliveryFilter, DeliveryState, Own, Registered, Registry, Worker};
use outbox_tests::{Act, Db, Ping, Probe};

use crate::consumers::{Ordered, OrderedDelayed, OrderedOn, OrderedPicky};

crate::both! {
    one_failing_key_of_a_thousand_holds_back_nobody_else,
    events_of_a_key_never_run_side_by_side_and_never_out_of_order,
    different_keys_run_side_by_side,
    an_event_that_is_not_wanted_lets_nobody_overtake,
    a_failure_in_the_middle_of_a_key_keeps_the_order,
    a_snooze_holds_its_key,
    a_dead_letter_lets_its_key_go_on_where_the_consumer_says_so,
    discarding_a_dead_letter_lets_its_key_go_on,
    a_redriven_event_that_fails_again_holds_its_key_again,
    a_delayed_event_holds_its_key_even_if_later_ones_are_due_first,
    events_that_come_while_a_key_is_held_wait_their_turn,
    events_without_a_key_wait_for_nobody,
}

const MINUTE: Duration = Duration::from_secs(60);

async fn emit<R, DB: Db>(
    outbox: &TestOutbox<R, DB>,
    pings: impl IntoIterator<Item = Ping>,
) -> Result<()>
where
    R: Registry + Registered<Ping, Own>,
{
    let mut tx = outbox.begin().await?;
    outbox.emit_all(&mut tx, pings).await?;
    tx.commit().await?;
    Ok(())
}

async fn states<R: Registry, DB: Db>(outbox: &TestOutbox<R, DB>) -> Result<Vec<DeliveryState>> {
    let rows = outbox.deliveries(&DeliveryFilter::all()).await?;
    Ok(rows.iter().map(|row| row.state).collect())
}

async fn one_failing_key_of_a_thousand_holds_back_nobody_else<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Ordered, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    for n in 0..3 {
        outbox.emit_all(&mut tx, (0..1000).map(|key| Ping::keyed(&key.to_string(), n))).await?;
    }
    tx.commit().await?;
    let probe = Probe::new(|_, ping, _| match ping.key.as_deref() {
        Some("17") => Act::Fail,
        _ => Act::Succeed,
    });

    outbox.drain(probe.clone()).await?;

    let seen = probe.by_key("ordered");
    assert_eq!(seen.len(), 1000);
    for (key, numbers) in &seen {
        let expected: &[u64] = if key == "17" { &[0] } else { &[0, 1, 2] };
        assert_eq!(numbers, expected, "key {key}");
    }
    let of_key = DeliveryFilter::all().consumer("ordered").key("17");
    let rows = outbox.deliveries(&of_key).await?;
    let states: Vec<_> = rows.iter().map(|row| row.state).collect();
    assert_eq!(states, [DeliveryState::Retrying, DeliveryState::Parked, DeliveryState::Parked]);

    for _ in 0..2 {
        outbox.advance(Duration::from_secs(60));
        outbox.drain(probe.clone()).await?;
    }
    let dead = outbox.deliveries(&of_key.clone().state(DeliveryState::Dead)).await?;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].errors.len(), 3);
    assert_eq!(probe.by_key("ordered")["17"], [0, 0, 0], "the dead letter holds its key");

    probe.forget();
    probe.rescript(|_, _, _| Act::Succeed);
    assert_eq!(outbox.redrive(&of_key).await?, 1);
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.by_key("ordered")["17"], [0, 1, 2]);
    assert_eq!(outbox.deliveries(&of_key).await?.len(), 0);
    Ok(())
}

async fn events_of_a_key_never_run_side_by_side_and_never_out_of_order<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Ordered, DB>::new().await?;
    for n in 0..10 {
        emit(&outbox, (0..50).map(|key| Ping::keyed(&key.to_string(), n))).await?;
    }
    // Keys fail at different places and come back at different times.
    let probe = Probe::new(|_, ping, attempt| {
        let key: u64 = ping.key.as_deref().and_then(|key| key.parse().ok()).unwrap_or(0);
        match (ping.n % 5 == key % 5, attempt) {
            (true, 1) if key < 20 => Act::Fail,
            (true, 1 | 2) if key < 30 => Act::RetryAfter(Duration::from_secs(key)),
            _ => Act::Succeed,
        }
    });
    for page_size in [3, 1, 20, 1000, 1000, 1000, 1000, 1000] {
        let worker = Worker::new(outbox.outbox().clone(), probe.clone()).page_size(page_size);
        worker.drain().await?;
        outbox.advance(MINUTE);
    }
    assert!(!probe.keys_overlapped());
    let keys = probe.by_key("ordered");
    assert_eq!(keys.len(), 50);
    for (key, mut numbers) in keys {
        numbers.dedup();
        assert_eq!(numbers, (0..10).collect::<Vec<_>>(), "key {key}");
    }
    assert!(states(&outbox).await?.is_empty());
    Ok(())
}

async fn different_keys_run_side_by_side<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Ordered, DB>::new().await?;
    let probe = Probe::new(|_, _, _| Act::Gate);
    let running = outbox_tests::Running::start(&outbox, probe.clone());
    emit(&outbox, (0..30).map(|n| Ping::keyed(&(n % 10).to_string(), n))).await?;
    probe.until_called("ordered", 10).await;
    assert_eq!(probe.by_key("ordered").len(), 10);
    probe.open_gate();
    probe.until_called("ordered", 30).await;
    running.stop().await?;
    assert_eq!((probe.peak(), probe.keys_overlapped()), (10, false));
    Ok(())
}

async fn an_event_that_is_not_wanted_lets_nobody_overtake<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<OrderedPicky, DB>::new().await?;
    let probe = Probe::new(|_, _, _| Act::Gate);
    let a = [0, 2, 1, 4, 3].map(|n| Ping::keyed("a", n));
    emit(&outbox, a.into_iter().chain([Ping::keyed("b", 6)])).await?;
    let running = outbox_tests::Running::start(&outbox, probe.clone());
    // The last of them: what may run beside it does by then.
    probe.until("the other key", |seen| seen.iter().any(|seen| seen.n == 6)).await;
    probe.open_gate();
    probe.until_called("ordered-picky", 4).await;
    running.stop().await?;
    assert_eq!(probe.by_key("ordered-picky")["a"], [0, 2, 4]);
    assert!(!probe.keys_overlapped());
    Ok(())
}

async fn a_failure_in_the_middle_of_a_key_keeps_the_order<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Ordered, DB>::new().await?;
    emit(&outbox, (0..6).map(|n| Ping::keyed("a", n))).await?;
    let probe = Probe::new(|_, ping, attempt| match (ping.n, attempt) {
        (2, 1 | 2) | (4, 1) => Act::Fail,
        _ => Act::Succeed,
    });
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("ordered"), [0, 1, 2]);
    let expected = [DeliveryState::Retrying, DeliveryState::Parked, DeliveryState::Parked];
    assert_eq!(states(&outbox).await?, [&expected[..], &[DeliveryState::Parked]].concat());
    for _ in 0..3 {
        outbox.advance(MINUTE);
        outbox.drain(probe.clone()).await?;
    }
    assert_eq!(probe.numbers("ordered"), [0, 1, 2, 2, 2, 3, 4, 4, 5]);
    assert_eq!(probe.attempts("ordered", 3), [1], "being parked is no attempt");
    assert!(states(&outbox).await?.is_empty());
    Ok(())
}

async fn a_snooze_holds_its_key<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Ordered, DB>::new().await?;
    emit(&outbox, (0..3).map(|n| Ping::keyed("a", n))).await?;
    let probe = Probe::new(|_, _, _| Act::Snooze(MINUTE));
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("ordered"), [0]);
    probe.rescript(|_, _, _| Act::Succeed);
    outbox.advance(MINUTE);
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("ordered"), [0, 0, 1, 2]);
    Ok(())
}

async fn a_dead_letter_lets_its_key_go_on_where_the_consumer_says_so<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<OrderedOn, DB>::new().await?;
    emit(&outbox, (0..4).map(|n| Ping::keyed("a", n))).await?;
    let probe = Probe::new(|_, ping, _| if ping.n == 1 { Act::Fail } else { Act::Succeed });
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("ordered-on"), [0, 1], "it is still to be tried again");
    outbox.advance(MINUTE);
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("ordered-on"), [0, 1, 1, 2, 3]);
    assert_eq!(states(&outbox).await?, [DeliveryState::Dead]);
    emit(&outbox, [Ping::keyed("a", 4)]).await?;
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("ordered-on").last(), Some(&4));
    assert_eq!(states(&outbox).await?, [DeliveryState::Dead]);
    Ok(())
}

async fn discarding_a_dead_letter_lets_its_key_go_on<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Ordered, DB>::new().await?;
    emit(&outbox, (0..3).map(|n| Ping::keyed("a", n))).await?;
    let probe = Probe::new(|_, ping, _| if ping.n == 0 { Act::Permanent } else { Act::Succeed });
    outbox.drain(probe.clone()).await?;
    outbox.advance(MINUTE * 1000);
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("ordered"), [0], "until somebody acts");
    assert_eq!(outbox.discard(&DeliveryFilter::all().consumer("ordered")).await?, 1);
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("ordered"), [0, 1, 2]);
    assert!(states(&outbox).await?.is_empty());
    Ok(())
}

async fn a_redriven_event_that_fails_again_holds_its_key_again<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Ordered, DB>::new().await?;
    emit(&outbox, (0..3).map(|n| Ping::keyed("a", n))).await?;
    let probe = Probe::new(|_, ping, _| if ping.n == 0 { Act::Permanent } else { Act::Succeed });
    for _ in 0..3 {
        outbox.drain(probe.clone()).await?;
        assert_eq!(outbox.redrive(&DeliveryFilter::all()).await?, 1);
    }
    assert_eq!(probe.numbers("ordered"), [0, 0, 0]);
    probe.rescript(|_, _, _| Act::Succeed);
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("ordered"), [0, 0, 0, 0, 1, 2]);
    Ok(())
}

async fn a_delayed_event_holds_its_key_even_if_later_ones_are_due_first<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<OrderedDelayed, DB>::new().await?;
    // The first is due after 60 minutes, the last after 50.
    emit(&outbox, (0..=10).map(|n| Ping::keyed("a", n))).await?;
    let probe = Probe::default();
    for minutes in [55, 10] {
        outbox.drain(probe.clone()).await?;
        assert!(probe.seen().is_empty(), "{:?}", probe.numbers("ordered-delayed"));
        outbox.advance(MINUTE * minutes);
    }
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("ordered-delayed"), (0..=10).collect::<Vec<_>>());
    assert!(states(&outbox).await?.is_empty());
    Ok(())
}

async fn events_that_come_while_a_key_is_held_wait_their_turn<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Ordered, DB>::new().await?;
    let probe = Probe::new(|_, ping, _| if ping.n == 0 { Act::Permanent } else { Act::Succeed });
    let running = outbox_tests::Running::start(&outbox, probe.clone());
    emit(&outbox, [Ping::keyed("a", 0), Ping::keyed("b", 100)]).await?;
    probe.until_called("ordered", 2).await;
    for n in 1..5 {
        emit(&outbox, [Ping::keyed("a", n), Ping::keyed("b", 100 + n)]).await?;
        probe.until("the other key", |seen| seen.iter().any(|seen| seen.n == 100 + n)).await;
    }
    assert_eq!(probe.by_key("ordered")["a"], [0]);
    probe.rescript(|_, _, _| Act::Succeed);
    assert_eq!(outbox.redrive(&DeliveryFilter::all().key("a")).await?, 1);
    probe.until_called("ordered", 11).await;
    running.stop().await?;
    assert_eq!(probe.by_key("ordered")["a"], [0, 0, 1, 2, 3, 4]);
    assert!(states(&outbox).await?.is_empty());
    Ok(())
}

async fn events_without_a_key_wait_for_nobody<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Ordered, DB>::new().await?;
    emit(&outbox, (0..5).map(Ping::new)).await?;
    let probe = Probe::new(|_, ping, _| if ping.n == 0 { Act::Permanent } else { Act::Succeed });
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.seen().len(), 5);
    assert_eq!(states(&outbox).await?, [DeliveryState::Dead]);
    Ok(())
}
