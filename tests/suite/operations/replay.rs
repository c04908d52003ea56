use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{DeliveryFilter, DeliveryState, ErrorKind, Replay};
use outbox_tests::{Act, Db, Ping, Probe, Running, wait};

use super::{emit, pings, sorted};
use crate::consumers::{Hopeless, Ordered, Plain, Sharded};

crate::both! {
    a_replay_from_the_beginning_delivers_everything_again_in_order,
    a_replay_from_a_position_a_time_and_an_event,
    a_dry_run_counts_and_changes_nothing,
    a_replay_leaves_what_was_not_read_yet_alone,
    a_replay_of_one_key_leaves_the_others_alone,
    a_replay_of_some_events_goes_as_fast_as_it_is_told,
    a_replay_with_a_rate_goes_no_faster_and_new_events_follow,
    a_dead_letter_begins_anew_with_a_replay,
    a_replay_while_a_worker_runs_loses_nothing,
    a_replay_of_what_is_not_there_is_told,
}

const SECOND: Duration = Duration::from_secs(1);

async fn a_replay_from_the_beginning_delivers_everything_again_in_order<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Sharded, DB>::new().await?, Probe::default());
    emit(&outbox, pings(0..100, 10)).await?;
    outbox.drain(probe.clone()).await?;
    probe.forget();
    assert_eq!(outbox.replay("sharded", &Replay::from_beginning()).await?, 100);
    emit(&outbox, pings(100..120, 10)).await?;
    outbox.drain(probe.clone()).await?;
    for (key, numbers) in probe.by_key("sharded") {
        let expected: Vec<u64> = (0..120).filter(|n| format!("k{}", n % 10) == key).collect();
        assert_eq!(numbers, expected, "{key}");
    }
    Ok(())
}

async fn a_replay_from_a_position_a_time_and_an_event<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Sharded, DB>::new().await?, Probe::default());
    emit(&outbox, pings(0..10, 10)).await?;
    outbox.advance(SECOND * 60);
    let time = outbox.now().await?;
    let later = emit(&outbox, pings(10..20, 10)).await?;
    outbox.drain(probe.clone()).await?;
    for (replay, first) in [
        (Replay::from_position(later[3].position), 13),
        (Replay::from_event(later[7].id), 17),
        (Replay::from_time(time), 10),
    ] {
        probe.forget();
        assert_eq!(outbox.replay("sharded", &replay).await?, 20 - first);
        outbox.drain(probe.clone()).await?;
        assert_eq!(sorted(probe.numbers("sharded")), (first..20).collect::<Vec<_>>());
    }
    let future = Replay::from_time(time + SECOND * 3600);
    assert_eq!(outbox.replay("sharded", &future).await?, 0);
    assert_eq!(outbox.drain(probe).await?.handled, 0);
    Ok(())
}

async fn a_dry_run_counts_and_changes_nothing<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Sharded, DB>::new().await?, Probe::default());
    emit(&outbox, pings(0..50, 10)).await?;
    outbox.drain(probe.clone()).await?;
    emit(&outbox, pings(50..60, 10)).await?;
    let before = outbox.shards(None).await?;
    let all = Replay::from_beginning().dry_run();
    assert_eq!(outbox.replay("sharded", &all).await?, 50, "what was read");
    assert_eq!(outbox.replay("sharded", &all.key("k3")).await?, 5);
    assert_eq!(outbox.shards(None).await?, before);
    assert_eq!(outbox.drain(probe).await?.handled, 10);
    Ok(())
}

async fn a_replay_leaves_what_was_not_read_yet_alone<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Plain, DB>::new().await?, Probe::default());
    outbox.drain(probe.clone()).await?;
    let emitted = emit(&outbox, pings(0..10, 10)).await?;
    let replay = Replay::from_position(emitted[5].position);
    assert_eq!(outbox.replay("plain", &replay).await?, 0);
    outbox.drain(probe.clone()).await?;
    assert_eq!(sorted(probe.numbers("plain")), (0..10).collect::<Vec<_>>());
    Ok(())
}

async fn a_replay_of_one_key_leaves_the_others_alone<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Ordered, DB>::new().await?, Probe::default());
    let emitted = emit(&outbox, pings(0..40, 4)).await?;
    outbox.drain(probe.clone()).await?;
    probe.forget();
    let key = Replay::from_position(emitted[8].position).key("k2");
    assert_eq!(outbox.replay("ordered", &key).await?, 8);
    assert_eq!(outbox.replay("ordered", &key).await?, 0, "what has a row keeps it");
    emit(&outbox, [Ping::keyed("k2", 40)]).await?;
    outbox.drain(probe.clone()).await?;
    let expected: Vec<u64> = (8..40).filter(|n| n % 4 == 2).chain([40]).collect();
    let seen = probe.by_key("ordered");
    assert_eq!(seen.keys().collect::<Vec<_>>(), ["k2"]);
    assert_eq!(sorted(seen["k2"].clone()), expected);
    let replayed: Vec<u64> = seen["k2"].iter().copied().filter(|n| *n < 40).collect();
    assert_eq!(replayed, expected[..8], "in their order");

    probe.forget();
    let some = Replay::from_beginning().events([emitted[1].id, emitted[30].id]);
    assert_eq!(outbox.replay("ordered", &some).await?, 2);
    let span = Replay::from_position(emitted[3].position).until_position(emitted[5].position);
    assert_eq!(outbox.replay("ordered", &span).await?, 3);
    outbox.drain(probe.clone()).await?;
    assert_eq!(sorted(probe.numbers("ordered")), [1, 3, 4, 5, 30]);
    Ok(())
}

async fn a_replay_of_some_events_goes_as_fast_as_it_is_told<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Plain, DB>::new().await?, Probe::default());
    emit(&outbox, pings(0..30, 1)).await?;
    outbox.drain(probe.clone()).await?;
    probe.forget();
    let slowly = Replay::from_beginning().key("k0").rate(2.0);
    assert_eq!(outbox.replay("plain", &slowly).await?, 30);
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.seen().len(), 1);
    outbox.advance(SECOND * 5);
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.seen().len(), 11);
    outbox.advance(SECOND * 60);
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.seen().len(), 30);
    Ok(())
}

async fn a_replay_with_a_rate_goes_no_faster_and_new_events_follow<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Sharded, DB>::new().await?, Probe::default());
    emit(&outbox, pings(0..60, 10)).await?;
    outbox.drain(probe.clone()).await?;
    probe.forget();
    let begun = std::time::Instant::now();
    assert_eq!(outbox.replay("sharded", &Replay::from_beginning().rate(40.0)).await?, 60);
    emit(&outbox, pings(60..70, 10)).await?;
    let worker = Running::start(&outbox, probe.clone());
    probe.until_called("sharded", 70).await;
    let took = begun.elapsed();
    worker.stop().await?;
    // Ten a second and shard; the fullest shard has at least a quarter of 60. No upper bound: the
    // machine may be slow.
    assert!(took >= SECOND, "60 events at 40 a second took {took:?}");
    assert_eq!(sorted(probe.numbers("sharded")), (0..70).collect::<Vec<_>>());
    for (_, numbers) in probe.by_key("sharded") {
        assert!(numbers.is_sorted(), "{numbers:?}");
    }
    Ok(())
}

async fn a_dead_letter_begins_anew_with_a_replay<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Hopeless, DB>::new().await?;
    let emitted = emit(&outbox, pings(0..10, 10)).await?;
    let failing = Probe::new(|_, ping, _| if ping.n % 5 == 0 { Act::Fail } else { Act::Succeed });
    outbox.drain(failing).await?;
    let dead = DeliveryFilter::all().state(DeliveryState::Dead);
    assert_eq!(outbox.deliveries(&dead).await?.len(), 2);
    let probe = Probe::default();
    let replay = Replay::from_position(emitted[3].position);
    assert_eq!(outbox.replay("hopeless", &replay).await?, 7);
    outbox.drain(probe.clone()).await?;
    assert_eq!(sorted(probe.numbers("hopeless")), (3..10).collect::<Vec<_>>());
    let left = outbox.deliveries(&dead).await?;
    assert_eq!(left.len(), 1, "the one before the place stays");
    assert_eq!(left[0].event.id, emitted[0].id);
    Ok(())
}

async fn a_replay_while_a_worker_runs_loses_nothing<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Sharded, DB>::new().await?, Probe::default());
    outbox.drain(probe.clone()).await?;
    let worker = Running::start(&outbox, probe.clone());
    for round in 0..8_u64 {
        emit(&outbox, pings(round * 50..round * 50 + 50, 20)).await?;
        let from = Replay::from_beginning();
        outbox.replay("sharded", &from).await?;
    }
    wait::until("everything to be handled", || async {
        outbox.stats().await.expect("stats")[0].lag_events == 0
    })
    .await;
    worker.stop().await?;
    let mut seen = sorted(probe.numbers("sharded"));
    seen.dedup();
    assert_eq!(seen, (0..400).collect::<Vec<_>>());
    assert!(!probe.keys_overlapped());
    Ok(())
}

async fn a_replay_of_what_is_not_there_is_told<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let all = Replay::from_beginning();
    let error = outbox.replay("nobody", &all).await.expect_err("no such consumer");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    outbox.drain(Probe::default()).await?;
    let event = Replay::from_event(uuid::Uuid::nil());
    let error = outbox.replay("plain", &event).await.expect_err("no such event");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    for rate in [0.0, -1.0, f64::NAN] {
        let error =
            outbox.replay("plain", &all.clone().rate(rate)).await.expect_err("no such rate");
        assert_eq!(error.kind(), ErrorKind::InvalidOptions);
    }
    Ok(())
}
