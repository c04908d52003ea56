//! Emitting: what commits is delivered, and nothing else.

use outbox_runtime::Result;
use outbox_runtime::testing::{TestBackend, TestOutbox};
use outbox_tests::{Ping, Probe};

use crate::consumers::Plain;

crate::both! { committed_events_are_delivered_and_rolled_back_ones_are_not }

async fn committed_events_are_delivered_and_rolled_back_ones_are_not<DB: TestBackend>() -> Result<()>
{
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
