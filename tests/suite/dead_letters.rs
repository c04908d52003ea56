//! Dead letters stay until somebody redrives or discards them.

use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{DeliveryFilter, DeliveryInfo, DeliveryState, Outbox};
use outbox_tests::{Act, Db, Ping, Probe, Running};

use crate::consumers::{Plain, Several};

crate::both! {
    one_can_be_redriven,
    many_can_be_redriven_by_what_they_have_in_common,
    a_redriven_delivery_has_all_its_attempts_again_and_keeps_its_errors,
    one_can_be_discarded,
    many_can_be_discarded_by_what_they_have_in_common,
    what_is_not_dead_is_left_alone,
    a_running_worker_notices_a_redrive,
    a_running_worker_notices_a_redrive_by_another_process,
}

/// An outbox of which every event is a dead letter of `plain`: ten, with keys `0` to `4`.
async fn dead<DB: Db>() -> Result<(TestOutbox<Plain, DB>, Probe)> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    outbox.emit_all(&mut tx, (0..10).map(|n| Ping::keyed(&(n % 5).to_string(), n))).await?;
    tx.commit().await?;
    let probe = Probe::new(|_, _, _| Act::Permanent);
    outbox.drain(probe.clone()).await?;
    probe.forget();
    probe.rescript(|_, _, _| Act::Succeed);
    assert_eq!(letters(&outbox).await?.len(), 10);
    Ok((outbox, probe))
}

async fn letters<DB: Db>(outbox: &TestOutbox<Plain, DB>) -> Result<Vec<DeliveryInfo>> {
    Ok(outbox.deliveries(&DeliveryFilter::all().state(DeliveryState::Dead)).await?)
}

async fn one_can_be_redriven<DB: Db>() -> Result<()> {
    let (outbox, probe) = dead::<DB>().await?;
    let letter = letters(&outbox).await?.remove(3);
    let this = DeliveryFilter::all().event(letter.event.id);
    assert_eq!(outbox.redrive(&this).await?, 1);
    assert_eq!(outbox.redrive(&this).await?, 0, "it is not dead any more");
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.seen().len(), 1);
    assert_eq!(probe.seen()[0].id, letter.event.id);
    assert_eq!(letters(&outbox).await?.len(), 9);
    let unknown = DeliveryFilter::all().event(uuid::Uuid::nil());
    assert_eq!(outbox.redrive(&unknown).await?, 0);
    Ok(())
}

async fn many_can_be_redriven_by_what_they_have_in_common<DB: Db>() -> Result<()> {
    let (outbox, probe) = dead::<DB>().await?;
    let all = DeliveryFilter::all();
    assert_eq!(outbox.redrive(&all.clone().key("3")).await?, 2);
    assert_eq!(outbox.redrive(&all.clone().consumer("other")).await?, 0);
    assert_eq!(outbox.redrive(&all.clone().consumer("plain").limit(3)).await?, 3);
    outbox.drain(probe.clone()).await?;
    let mut numbers = probe.numbers("plain");
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1, 2, 3, 8], "the oldest first");
    assert_eq!(outbox.redrive(&all).await?, 5);
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.seen().len(), 10);
    assert!(letters(&outbox).await?.is_empty());
    Ok(())
}

async fn a_redriven_delivery_has_all_its_attempts_again_and_keeps_its_errors<DB: Db>() -> Result<()>
{
    let (outbox, probe) = dead::<DB>().await?;
    let first = DeliveryFilter::all().limit(1);
    let before = outbox.deliveries(&first).await?.remove(0);
    outbox.redrive(&first).await?;
    let redriven = outbox.deliveries(&first).await?.remove(0);
    assert_eq!((redriven.state, redriven.attempts), (DeliveryState::Retrying, 0));
    assert_eq!(redriven.errors, before.errors);
    probe.rescript(|_, _, _| Act::Fail);
    for _ in 0..3 {
        outbox.drain(probe.clone()).await?;
        outbox.advance(Duration::from_secs(20));
    }
    let again = outbox.deliveries(&first).await?.remove(0);
    assert_eq!(probe.attempts("plain", 0), [1, 2, 3]);
    assert_eq!((again.state, again.attempts), (DeliveryState::Dead, 3));
    assert_eq!(again.errors.len(), 4);
    assert_eq!(again.first_failed_at, before.first_failed_at);
    Ok(())
}

async fn one_can_be_discarded<DB: Db>() -> Result<()> {
    let (outbox, probe) = dead::<DB>().await?;
    let letter = letters(&outbox).await?.remove(3);
    let this = DeliveryFilter::all().event(letter.event.id);
    assert_eq!(outbox.discard(&this).await?, 1);
    assert_eq!(outbox.discard(&this).await?, 0);
    assert_eq!(outbox.redrive(&this).await?, 0);
    assert_eq!(letters(&outbox).await?.len(), 9);
    assert!(outbox.event(letter.event.id).await?.is_some(), "the log keeps the event");
    outbox.drain(probe.clone()).await?;
    assert!(probe.seen().is_empty());
    Ok(())
}

async fn many_can_be_discarded_by_what_they_have_in_common<DB: Db>() -> Result<()> {
    let (outbox, _) = dead::<DB>().await?;
    let all = DeliveryFilter::all();
    assert_eq!(outbox.discard(&all.clone().key("3").limit(1)).await?, 1);
    assert_eq!(outbox.discard(&all.clone().key("3")).await?, 1);
    assert_eq!(outbox.discard(&all.clone().consumer("other")).await?, 0);
    assert_eq!(outbox.discard(&all).await?, 8);
    assert!(letters(&outbox).await?.is_empty());
    Ok(())
}

async fn what_is_not_dead_is_left_alone<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Several, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    outbox.emit_all(&mut tx, [Ping::keyed("a", 1), Ping::keyed("a", 2)]).await?;
    tx.commit().await?;
    outbox.drain(Probe::new(|_, _, _| Act::Fail)).await?;
    let before = outbox.deliveries(&DeliveryFilter::all()).await?;
    // Two retrying of `plain`, one of `picky`, one retrying and one parked of `ordered`.
    assert_eq!(before.len(), 5);
    assert_eq!(outbox.redrive(&DeliveryFilter::all()).await?, 0);
    assert_eq!(outbox.discard(&DeliveryFilter::all()).await?, 0);
    let after = outbox.deliveries(&DeliveryFilter::all()).await?;
    let told = |rows: &[DeliveryInfo]| {
        rows.iter().map(|row| (row.state, row.attempts, row.due_at)).collect::<Vec<_>>()
    };
    assert_eq!(told(&after), told(&before));
    Ok(())
}

async fn a_running_worker_notices_a_redrive<DB: Db>() -> Result<()> {
    let (outbox, probe) = dead::<DB>().await?;
    let running = Running::start(&outbox, probe.clone());
    assert_eq!(outbox.redrive(&DeliveryFilter::all()).await?, 10);
    probe.until_called("plain", 10).await;
    running.stop().await?;
    assert!(letters(&outbox).await?.is_empty());
    Ok(())
}

async fn a_running_worker_notices_a_redrive_by_another_process<DB: Db>() -> Result<()> {
    let (outbox, probe) = dead::<DB>().await?;
    let running = Running::start(&outbox, probe.clone());
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, Ping::new(10)).await?;
    tx.commit().await?;
    probe.until_called("plain", 1).await;
    // This one shares no bell with the worker.
    let elsewhere =
        Outbox::<Plain, DB>::builder(outbox.pool().clone()).clock(outbox.clock().clone()).build();
    assert_eq!(elsewhere.redrive(&DeliveryFilter::all()).await?, 10);
    probe.until_called("plain", 11).await;
    running.stop().await?;
    assert!(letters(&outbox).await?.is_empty());
    Ok(())
}
