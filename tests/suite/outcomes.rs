//! What follows from how an attempt ended.

use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{Consumers, DeliveryFilter, DeliveryInfo, DeliveryState, Own, Registered};
use outbox_tests::{Act, Db, Ping, Probe};

use crate::consumers::{Advised, Audited, Hasty, Hopeless, Plain};

crate::both! {
    a_failed_attempt_is_repeated_after_its_backoff,
    a_permanent_error_is_dead_at_once,
    one_attempt_is_enough_where_retries_are_off,
    an_error_can_say_when_to_try_again,
    a_snooze_counts_no_attempt,
    a_function_can_decide_about_retries,
    a_dead_letter_tells_every_error_it_met,
    a_panic_is_an_error_like_others,
    an_attempt_that_takes_too_long_is_ended,
    a_failure_holds_nobody_else_back,
    an_undecodable_payload_is_dead_at_once_and_blocks_nothing,
    notes_are_kept_where_the_consumer_has_audit,
    the_idempotency_key_is_the_same_at_every_attempt,
}

const SECOND: Duration = Duration::from_secs(1);

/// An outbox with one event in it.
async fn with_one<R, DB: Db>() -> outbox_runtime::Result<TestOutbox<R, DB>>
where
    R: Consumers<DB, State = Probe> + Registered<Ping, Own>,
{
    let outbox = TestOutbox::<R, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, Ping::new(1)).await?;
    tx.commit().await?;
    Ok(outbox)
}

async fn only_row<R, DB: Db>(outbox: &TestOutbox<R, DB>) -> Result<DeliveryInfo>
where
    R: Consumers<DB>,
{
    let mut rows = outbox.deliveries(&DeliveryFilter::all()).await?;
    assert_eq!(rows.len(), 1, "{rows:?}");
    Ok(rows.remove(0))
}

async fn a_failed_attempt_is_repeated_after_its_backoff<DB: Db>() -> Result<()> {
    let outbox = with_one::<Plain, DB>().await?;
    let probe = Probe::new(|_, _, attempt| if attempt < 3 { Act::Fail } else { Act::Succeed });

    let tally = outbox.drain(probe.clone()).await?;
    assert_eq!((tally.retried, tally.handled, tally.dead), (1, 0, 0));
    let row = only_row(&outbox).await?;
    assert_eq!((row.state, row.attempts), (DeliveryState::Retrying, 1));
    assert_eq!((row.consumer.as_str(), row.event.name.as_str()), ("plain", "test.ping"));
    let now = outbox.now().await?;
    let wait = (row.due_at.expect("it will be tried again") - now).to_std()?;
    assert!((SECOND * 10..=SECOND * 20).contains(&wait), "{wait:?}");
    assert_eq!(row.first_failed_at, Some(now));

    outbox.advance(SECOND * 9);
    let tally = outbox.drain(probe.clone()).await?;
    assert_eq!(tally, outbox_runtime::Tally::default(), "it is not due yet");
    outbox.advance(SECOND * 11);
    outbox.drain(probe.clone()).await?;
    let second = only_row(&outbox).await?;
    assert_eq!((second.attempts, second.first_failed_at), (2, Some(now)));
    outbox.advance(SECOND * 20);
    let tally = outbox.drain(probe.clone()).await?;
    assert_eq!((tally.retried, tally.handled), (0, 1));
    assert_eq!(probe.attempts("plain", 1), [1, 2, 3]);
    assert!(outbox.deliveries(&DeliveryFilter::all()).await?.is_empty());
    Ok(())
}

async fn a_permanent_error_is_dead_at_once<DB: Db>() -> Result<()> {
    let outbox = with_one::<Plain, DB>().await?;
    let probe = Probe::new(|_, _, _| Act::Permanent);
    let tally = outbox.drain(probe.clone()).await?;
    assert_eq!((tally.dead, tally.retried), (1, 0));
    let row = only_row(&outbox).await?;
    assert_eq!((row.state, row.attempts, row.due_at), (DeliveryState::Dead, 1, None));
    assert_eq!(row.errors[0].message, "scripted permanent failure");
    outbox.advance(SECOND * 100_000);
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.attempts("plain", 1), [1]);
    Ok(())
}

async fn one_attempt_is_enough_where_retries_are_off<DB: Db>() -> Result<()> {
    let outbox = with_one::<Hopeless, DB>().await?;
    outbox.drain(Probe::new(|_, _, _| Act::Fail)).await?;
    assert_eq!(only_row(&outbox).await?.state, DeliveryState::Dead);
    Ok(())
}

async fn an_error_can_say_when_to_try_again<DB: Db>() -> Result<()> {
    let outbox = with_one::<Plain, DB>().await?;
    let probe = Probe::new(|_, _, attempt| match attempt {
        1 => Act::RetryAfter(SECOND * 500),
        _ => Act::Succeed,
    });
    outbox.drain(probe.clone()).await?;
    let row = only_row(&outbox).await?;
    assert_eq!((row.state, row.attempts), (DeliveryState::Retrying, 1), "the attempt counts");
    outbox.advance(SECOND * 499);
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.attempts("plain", 1), [1]);
    outbox.advance(SECOND);
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.attempts("plain", 1), [1, 2]);
    Ok(())
}

async fn a_snooze_counts_no_attempt<DB: Db>() -> Result<()> {
    let outbox = with_one::<Plain, DB>().await?;
    let probe = Probe::new(|_, _, _| Act::Snooze(SECOND * 60));
    for _ in 0..5 {
        let tally = outbox.drain(probe.clone()).await?;
        assert_eq!((tally.snoozed, tally.retried), (1, 0));
        let row = only_row(&outbox).await?;
        assert_eq!((row.state, row.attempts), (DeliveryState::Delayed, 0));
        assert!(row.errors.is_empty() && row.first_failed_at.is_none());
        outbox.advance(SECOND * 60);
    }
    probe.rescript(|_, _, _| Act::Succeed);
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.attempts("plain", 1), [1; 6]);
    Ok(())
}

async fn a_function_can_decide_about_retries<DB: Db>() -> Result<()> {
    let outbox = with_one::<Advised, DB>().await?;
    let probe = Probe::new(|_, _, _| Act::Fail);
    outbox.drain(probe.clone()).await?;
    outbox.advance(SECOND * 99);
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.attempts("advised", 1), [1]);
    outbox.advance(SECOND);
    outbox.drain(probe.clone()).await?;
    let wait = only_row(&outbox).await?.due_at.expect("it is tried again") - outbox.now().await?;
    assert_eq!(wait.to_std()?, SECOND * 200, "the second wait is longer");
    probe.rescript(|_, _, _| Act::FailInChain);
    outbox.advance(SECOND * 200);
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.attempts("advised", 1), [1, 2, 3]);
    assert_eq!(only_row(&outbox).await?.state, DeliveryState::Dead, "it gave up on this error");
    Ok(())
}

async fn a_dead_letter_tells_every_error_it_met<DB: Db>() -> Result<()> {
    let outbox = with_one::<Plain, DB>().await?;
    let probe = Probe::new(|_, _, attempt| match attempt {
        1 => Act::Fail,
        2 => Act::Panic,
        _ => Act::FailInChain,
    });
    for _ in 0..3 {
        outbox.drain(probe.clone()).await?;
        outbox.advance(SECOND * 20);
    }
    let row = only_row(&outbox).await?;
    assert_eq!((row.state, row.attempts, row.due_at), (DeliveryState::Dead, 3, None));
    let told: Vec<_> = row
        .errors
        .iter()
        .map(|error| (error.attempt, error.kind.as_str(), error.message.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (1, "error", "scripted failure"),
            (2, "panic", "panicked: scripted panic"),
            (3, "error", "cannot answer"),
        ]
    );
    assert_eq!(row.errors[2].chain, ["cannot write the receipt", "the disk is full"]);
    assert!(row.errors.is_sorted_by_key(|error| error.at));
    outbox.advance(SECOND * 1_000_000);
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.attempts("plain", 1), [1, 2, 3]);
    Ok(())
}

async fn a_panic_is_an_error_like_others<DB: Db>() -> Result<()> {
    let outbox = with_one::<Plain, DB>().await?;
    let probe = Probe::new(|_, _, attempt| if attempt == 1 { Act::Panic } else { Act::Succeed });
    let tally = outbox.drain(probe.clone()).await?;
    assert_eq!(tally.retried, 1);
    assert_eq!(only_row(&outbox).await?.errors[0].kind, "panic");
    outbox.advance(SECOND * 20);
    assert_eq!(outbox.drain(probe).await?.handled, 1);
    Ok(())
}

async fn an_attempt_that_takes_too_long_is_ended<DB: Db>() -> Result<()> {
    let outbox = with_one::<Hasty, DB>().await?;
    let probe = Probe::new(|_, _, attempt| if attempt == 1 { Act::Hang } else { Act::Succeed });
    let tally = outbox.drain(probe.clone()).await?;
    assert_eq!(tally.retried, 1);
    let error = only_row(&outbox).await?.errors.remove(0);
    assert_eq!((error.kind.as_str(), error.message.as_str()), ("timeout", "timed out after 300ms"));
    outbox.advance(SECOND * 10);
    assert_eq!(outbox.drain(probe).await?.handled, 1);
    Ok(())
}

async fn a_failure_holds_nobody_else_back<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    outbox.emit_all(&mut tx, (0..100).map(|n| Ping::keyed("same", n))).await?;
    tx.commit().await?;
    let probe = Probe::new(|_, ping, _| match ping.n % 10 {
        3 => Act::Fail,
        5 => Act::Permanent,
        7 => Act::Panic,
        9 => Act::Snooze(SECOND),
        _ => Act::Succeed,
    });
    let tally = outbox.drain(probe.clone()).await?;
    let told = (tally.handled, tally.retried, tally.dead, tally.snoozed);
    assert_eq!(told, (60, 20, 10, 10));
    let mut numbers = probe.numbers("plain");
    numbers.sort_unstable();
    assert_eq!(numbers, (0..100).collect::<Vec<_>>());
    assert_eq!(outbox.deliveries(&DeliveryFilter::all()).await?.len(), 40);
    Ok(())
}

async fn an_undecodable_payload_is_dead_at_once_and_blocks_nothing<DB: Db>() -> Result<()> {
    let outbox = with_one::<Plain, DB>().await?;
    for payload in [r#"{"n": "seven"}"#, r#"{"n": 18446744073709551616}"#, "[]", "null"] {
        DB::append(outbox.pool(), "test.ping", 1, None, payload).await?;
    }
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, Ping::new(2)).await?;
    tx.commit().await?;
    let probe = Probe::default();
    let tally = outbox.drain(probe.clone()).await?;

    let mut numbers = probe.numbers("plain");
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2]);
    assert_eq!((tally.handled, tally.dead), (2, 4));
    let rows = outbox.deliveries(&DeliveryFilter::all().state(DeliveryState::Dead)).await?;
    assert_eq!(rows.len(), 4);
    for row in &rows {
        assert_eq!(row.errors.len(), 1);
        assert_eq!(row.errors[0].kind, "undecodable");
        assert!(row.errors[0].message.contains("`test.ping` version 1"), "{:?}", row.errors);
    }
    assert!(rows[0].errors[0].message.contains("u64"), "{:?}", rows[0].errors);
    Ok(())
}

async fn notes_are_kept_where_the_consumer_has_audit<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Audited, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    outbox.emit_all(&mut tx, (0..5).map(Ping::new)).await?;
    tx.commit().await?;
    let probe = Probe::new(|_, ping, attempt| match (ping.n, attempt) {
        (0, _) => Act::Note("sent as 42"),
        (1, _) => Act::Skip,
        (2, _) => Act::Succeed,
        (3, 1) => Act::Fail,
        (3, _) => Act::Note("at last"),
        _ => Act::Permanent,
    });
    outbox.drain(probe.clone()).await?;
    outbox.advance(SECOND * 10);
    outbox.drain(probe.clone()).await?;
    let sql = format!(
        "select outcome || '/' || attempt || '/' || coalesce(note, '-') from {} order by position",
        DB::table("audit")
    );
    let kept: Vec<String> = DB::texts(outbox.pool(), &sql).await?.into_iter().flatten().collect();
    assert_eq!(
        kept,
        [
            "done/1/sent as 42",
            "skipped/1/scripted skip",
            "done/1/-",
            "done/2/at last",
            "dead/1/scripted permanent failure",
        ]
    );
    Ok(())
}

async fn the_idempotency_key_is_the_same_at_every_attempt<DB: Db>() -> Result<()> {
    let outbox = with_one::<Plain, DB>().await?;
    let probe = Probe::new(|_, _, attempt| if attempt < 3 { Act::Fail } else { Act::Succeed });
    for _ in 0..3 {
        outbox.drain(probe.clone()).await?;
        outbox.advance(SECOND * 20);
    }
    let keys: Vec<_> = probe.seen().into_iter().map(|seen| seen.idempotency_key).collect();
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    assert_eq!(keys[0], format!("plain/{}", probe.seen()[0].id));
    Ok(())
}
