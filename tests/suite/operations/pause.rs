use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{DeliveryFilter, DeliveryState, ErrorKind, Worker};
use outbox_tests::{Act, Db, Ping, Probe, Running, wait};

use super::{emit, pings, sorted, until_all_run, until_nobody_runs};
use crate::consumers::{Ordered, Plain, Sharded};

crate::both! {
    a_paused_consumer_stands_still_and_goes_on_where_it_stopped,
    what_runs_when_its_consumer_is_paused_may_finish,
    a_handler_that_outlasts_the_shutdown_timeout_may_still_finish,
    a_consumer_that_is_paused_before_a_worker_starts_is_not_run,
    a_paused_key_is_parked_and_follows_in_order,
    a_retry_of_a_paused_key_waits,
    a_key_of_an_unordered_consumer_can_be_paused,
    pausing_what_is_not_there_is_told,
}

async fn a_paused_consumer_stands_still_and_goes_on_where_it_stopped<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Sharded, DB>::new().await?, Probe::default());
    let worker = Running::start(&outbox, probe.clone());
    emit(&outbox, pings(0..20, 8)).await?;
    probe.until_called("sharded", 20).await;
    outbox.pause("sharded").await?;
    outbox.pause("sharded").await?;
    until_nobody_runs(&outbox, "sharded").await;
    emit(&outbox, pings(20..40, 8)).await?;
    let stats = outbox.stats().await?;
    assert!(stats[0].paused);
    assert_eq!((stats[0].lag_events, stats[0].handled), (20, 20));
    assert_eq!(probe.seen().len(), 20);

    outbox.resume("sharded").await?;
    probe.until_called("sharded", 40).await;
    worker.stop().await?;
    assert_eq!(sorted(probe.numbers("sharded")), (0..40).collect::<Vec<_>>());
    assert!(!outbox.stats().await?[0].paused);
    Ok(())
}

async fn what_runs_when_its_consumer_is_paused_may_finish<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let probe = Probe::new(|_, _, _| Act::Gate);
    let worker = Running::start(&outbox, probe.clone());
    emit(&outbox, pings(0..3, 3)).await?;
    probe.until_called("plain", 3).await;
    outbox.pause("plain").await?;
    probe.open_gate();
    until_nobody_runs(&outbox, "plain").await;
    assert_eq!(outbox.stats().await?[0].handled, 3, "and was recorded");
    worker.stop().await?;
    assert_eq!(probe.seen().len(), 3);
    Ok(())
}

/// The timeout is for the end of the whole worker.
async fn a_handler_that_outlasts_the_shutdown_timeout_may_still_finish<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Sharded, DB>::new().await?;
    let probe = Probe::new(|_, _, _| Act::Gate);
    let often = Duration::from_millis(10);
    let worker = Worker::new(outbox.outbox().clone(), probe.clone()).poll(often, often);
    let worker = Running::worker(worker.shutdown_timeout(Duration::ZERO));
    until_all_run(&outbox, "sharded").await;
    emit(&outbox, pings(0..8, 8)).await?;
    probe.until_called("sharded", 8).await;
    outbox.pause_key("sharded", "another").await?;
    // Both have been noticed once the second has let all shards go.
    outbox.pause("sharded").await?;
    emit(&outbox, pings(8..16, 8)).await?;
    probe.open_gate();
    until_nobody_runs(&outbox, "sharded").await;
    outbox.resume("sharded").await?;
    probe.until_called("sharded", 16).await;
    worker.stop().await?;
    assert_eq!(sorted(probe.numbers("sharded")), (0..16).collect::<Vec<_>>(), "each once");
    Ok(())
}

async fn a_consumer_that_is_paused_before_a_worker_starts_is_not_run<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Plain, DB>::new().await?, Probe::default());
    outbox.drain(probe.clone()).await?;
    outbox.pause("plain").await?;
    emit(&outbox, pings(0..3, 3)).await?;
    assert_eq!(outbox.drain(probe.clone()).await?.handled, 0);
    outbox.resume("plain").await?;
    assert_eq!(outbox.drain(probe.clone()).await?.handled, 3);
    Ok(())
}

async fn a_paused_key_is_parked_and_follows_in_order<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Ordered, DB>::new().await?, Probe::default());
    let worker = Running::start(&outbox, probe.clone());
    until_all_run(&outbox, "ordered").await;
    outbox.pause_key("ordered", "k1").await?;
    // The worker may take some in before it notices.
    let mut emitted = 0;
    wait::for_signal("the key to be parked", async {
        while outbox.stats().await?[0].parked < 9 {
            emit(&outbox, pings(emitted..emitted + 3, 3)).await?;
            emitted += 3;
        }
        anyhow::Ok(())
    })
    .await?;
    wait::until("everything to be read", || async {
        outbox.stats().await.expect("stats")[0].lag_events == 0
    })
    .await;
    worker.stop().await?;
    let held = probe.by_key("ordered").remove("k1").unwrap_or_default();
    let parked = outbox.stats().await?[0].parked;
    assert_eq!(held.len() as u64 + parked, emitted / 3, "all that came after it noticed");
    // Also a worker that starts later knows.
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.by_key("ordered").remove("k1").unwrap_or_default(), held);

    outbox.resume_key("ordered", "k1").await?;
    outbox.drain(probe.clone()).await?;
    let seen = probe.by_key("ordered");
    for key in 0..3 {
        let expected: Vec<u64> = (0..emitted).filter(|n| n % 3 == key).collect();
        assert_eq!(seen[&format!("k{key}")], expected);
    }
    assert!(outbox.deliveries(&DeliveryFilter::all()).await?.is_empty());
    Ok(())
}

async fn a_retry_of_a_paused_key_waits<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Ordered, DB>::new().await?;
    let probe = Probe::new(|_, _, attempt| if attempt == 1 { Act::Fail } else { Act::Succeed });
    emit(&outbox, [Ping::keyed("a", 1), Ping::keyed("b", 1), Ping::keyed("a", 2)]).await?;
    outbox.drain(probe.clone()).await?;
    outbox.pause_key("ordered", "a").await?;
    for _ in 0..3 {
        outbox.advance(Duration::from_secs(60));
        outbox.drain(probe.clone()).await?;
    }
    assert_eq!(probe.by_key("ordered")["a"], [1]);
    assert_eq!(probe.by_key("ordered")["b"], [1, 1]);
    outbox.resume_key("ordered", "a").await?;
    for _ in 0..3 {
        outbox.drain(probe.clone()).await?;
        outbox.advance(Duration::from_secs(60));
    }
    assert_eq!(probe.by_key("ordered")["a"], [1, 1, 2, 2]);
    Ok(())
}

async fn a_key_of_an_unordered_consumer_can_be_paused<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Plain, DB>::new().await?, Probe::default());
    outbox.drain(probe.clone()).await?;
    outbox.pause_key("plain", "k0").await?;
    emit(&outbox, pings(0..40, 4)).await?;
    assert_eq!(outbox.drain(probe.clone()).await?.handled, 30);
    let parked = DeliveryFilter::all().state(DeliveryState::Parked);
    assert_eq!(outbox.deliveries(&parked).await?.len(), 10);
    outbox.resume_key("plain", "k0").await?;
    assert_eq!(outbox.drain(probe.clone()).await?.handled, 10);
    assert_eq!(sorted(probe.numbers("plain")), (0..40).collect::<Vec<_>>());
    Ok(())
}

async fn pausing_what_is_not_there_is_told<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    for refused in [outbox.pause("nobody").await, outbox.resume_key("nobody", "k").await] {
        let error = refused.expect_err("there is no such consumer");
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("`nobody`"), "{error}");
    }
    Ok(())
}
