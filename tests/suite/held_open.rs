//! A transaction that is held open, with an id and an uncommitted event.

use std::time::Duration;

use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{Postgres, Worker};
use outbox_tests::{Ping, Probe, wait};

use crate::consumers::Plain;

/// How long the transaction is held open.
const HELD: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_held_open_holds_back_only_its_own_event() -> anyhow::Result<()> {
    let outbox = TestOutbox::<Plain, Postgres>::new().await?;
    let probe = Probe::default();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let worker = Worker::new(outbox.outbox().clone(), probe.clone());
    let running = tokio::spawn(worker.run_until(async {
        // A dropped sender is the signal as well.
        let _ = stopped.await;
    }));

    let mut held = outbox.begin().await?;
    outbox.emit(&mut held, Ping::new(0)).await?;
    let begun = tokio::time::Instant::now();
    let mut emitted = 0;
    while begun.elapsed() < HELD {
        emitted += 1;
        let mut tx = outbox.begin().await?;
        outbox.emit(&mut tx, Ping::new(emitted)).await?;
        tx.commit().await?;
        // The next one is emitted when this one has arrived: nothing waits for the held one.
        probe.until("an event beside the held one", |seen| seen.len() as u64 == emitted).await;
    }
    assert!(!probe.numbers("plain").contains(&0), "not committed, not delivered");

    held.commit().await?;
    probe.until("the held event", |seen| seen.iter().any(|seen| seen.n == 0)).await;
    drop(stop);
    wait::for_signal("the worker to stop", running).await??;
    let mut numbers = probe.numbers("plain");
    numbers.sort_unstable();
    assert_eq!(numbers, (0..=emitted).collect::<Vec<_>>());
    Ok(())
}
