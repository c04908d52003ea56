use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{DeliveryFilter, ErrorKind, Skip};
use outbox_tests::{Act, Db, Ping, Probe};

use super::{emit, pings, sorted};
use crate::consumers::{Ordered, Plain, Sharded};

crate::both! {
    skipping_to_now_drops_the_backlog_and_nothing_else,
    skipping_to_a_position_and_to_a_time,
    one_event_that_waits_in_the_log_is_skipped,
    one_event_that_has_a_row_is_skipped_and_its_key_goes_on,
    skipping_what_was_handled_is_told,
}

async fn skipping_to_now_drops_the_backlog_and_nothing_else<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Sharded, DB>::new().await?, Probe::default());
    outbox.drain(probe.clone()).await?;
    emit(&outbox, pings(0..50, 10)).await?;
    assert_eq!(outbox.skip("sharded", &Skip::to_now()).await?, 50);
    assert_eq!(outbox.skip("sharded", &Skip::to_now()).await?, 0);
    emit(&outbox, pings(50..60, 10)).await?;
    outbox.drain(probe.clone()).await?;
    assert_eq!(sorted(probe.numbers("sharded")), (50..60).collect::<Vec<_>>());
    Ok(())
}

async fn skipping_to_a_position_and_to_a_time<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Sharded, DB>::new().await?, Probe::default());
    outbox.drain(probe.clone()).await?;
    let emitted = emit(&outbox, pings(0..30, 10)).await?;
    outbox.advance(Duration::from_secs(60));
    let time = outbox.now().await?;
    emit(&outbox, pings(30..50, 10)).await?;
    assert_eq!(outbox.skip("sharded", &Skip::to_position(emitted[20].position)).await?, 20);
    assert_eq!(outbox.skip("sharded", &Skip::to_position(emitted[10].position)).await?, 0);
    assert_eq!(outbox.skip("sharded", &Skip::to_time(time)).await?, 10);
    outbox.drain(probe.clone()).await?;
    assert_eq!(sorted(probe.numbers("sharded")), (30..50).collect::<Vec<_>>());
    Ok(())
}

async fn one_event_that_waits_in_the_log_is_skipped<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Sharded, DB>::new().await?, Probe::default());
    outbox.drain(probe.clone()).await?;
    let emitted = emit(&outbox, pings(0..10, 10)).await?;
    for index in [7, 2] {
        assert_eq!(outbox.skip("sharded", &Skip::event(emitted[index].id)).await?, 1);
    }
    outbox.drain(probe.clone()).await?;
    assert_eq!(sorted(probe.numbers("sharded")), [0, 1, 3, 4, 5, 6, 8, 9]);
    assert_eq!(outbox.stats().await?[0].lag_events, 0);
    Ok(())
}

async fn one_event_that_has_a_row_is_skipped_and_its_key_goes_on<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Ordered, DB>::new().await?;
    let probe = Probe::new(|_, ping, _| if ping.n == 0 { Act::Fail } else { Act::Succeed });
    let emitted = emit(&outbox, (0..4).map(|n| Ping::keyed("a", n))).await?;
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("ordered"), [0]);
    assert_eq!(outbox.skip("ordered", &Skip::event(emitted[0].id)).await?, 1);
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("ordered"), [0, 1, 2, 3]);
    assert!(outbox.deliveries(&DeliveryFilter::all()).await?.is_empty());
    Ok(())
}

async fn skipping_what_was_handled_is_told<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Plain, DB>::new().await?, Probe::default());
    let emitted = emit(&outbox, pings(0..3, 3)).await?;
    outbox.drain(probe.clone()).await?;
    for id in [emitted[1].id, uuid::Uuid::nil()] {
        let error = outbox.skip("plain", &Skip::event(id)).await.expect_err("nothing to skip");
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
    emit(&outbox, pings(3..4, 3)).await?;
    assert_eq!(outbox.drain(probe).await?.handled, 1);
    Ok(())
}
