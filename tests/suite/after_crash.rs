//! After a worker died with its leases.

use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestDatabase;
use outbox_runtime::{DeliveryFilter, DeliveryState, Outbox, Worker};
use outbox_tests::{Act, Db, Ping, Probe};

use crate::consumers::{Hopeless, Ordered};

crate::both! {
    events_of_a_key_keep_their_order_while_they_are_run_one_at_a_time,
    an_attempt_that_a_graceful_stop_drops_is_not_taken_for_a_crash,
}

/// The events that may have killed the worker before are run one at a time, each attempt recorded
/// first: 1,128, see ARCHITECTURE.md. There are more events than that, and fewer in a page, so that
/// keys pass from there into normal running with events both in memory and in the log.
async fn events_of_a_key_keep_their_order_while_they_are_run_one_at_a_time<DB: Db>() -> Result<()> {
    const EVENTS: u64 = 1_800;
    for (page_size, keys) in [(500, 2), (100, 3), (20, 5)] {
        let database = TestDatabase::<DB>::create().await?;
        let outbox = Outbox::<Ordered, DB>::new(database.pool().clone());
        outbox.migrate().await?;
        let probe = Probe::default();
        let key = |n: u64| Ping::keyed(&(n % keys).to_string(), n);
        let worker = || {
            let lease = Duration::from_secs(2);
            Worker::new(outbox.clone(), probe.clone()).lease(lease).page_size(page_size)
        };

        let mut tx = outbox.begin().await?;
        outbox.emit(&mut tx, key(0)).await?;
        tx.commit().await?;
        let dying = tokio::spawn(worker().run_until(std::future::pending()));
        probe.until_called("ordered", 1).await;
        dying.abort();
        assert!(dying.await.is_err(), "it ended by itself");

        let mut tx = outbox.begin().await?;
        outbox.emit_all(&mut tx, (1..EVENTS).map(key)).await?;
        tx.commit().await?;
        // The first event may come again.
        let last = probe.until("the last event of each key", |seen| {
            (EVENTS - keys..EVENTS).all(|n| seen.iter().any(|seen| seen.n == n))
        });
        worker().run_until(last).await?;

        let mut seen = probe.by_key("ordered");
        for (key, numbers) in &mut seen {
            numbers.dedup();
            let remainder: u64 = key.parse()?;
            let expected: Vec<u64> = (0..EVENTS).filter(|n| n % keys == remainder).collect();
            assert_eq!(*numbers, expected, "key {key} of {keys}, pages of {page_size}");
        }
        assert_eq!(seen.len() as u64, keys);
    }
    Ok(())
}

/// The attempt was recorded before it began, and the consumer has only one.
async fn an_attempt_that_a_graceful_stop_drops_is_not_taken_for_a_crash<DB: Db>() -> Result<()> {
    let database = TestDatabase::<DB>::create().await?;
    let outbox = Outbox::<Hopeless, DB>::new(database.pool().clone());
    outbox.migrate().await?;
    let probe = Probe::new(|_, ping, _| if ping.n == 1 { Act::Hang } else { Act::Succeed });
    let worker = || {
        Worker::new(outbox.clone(), probe.clone())
            .lease(Duration::from_secs(2))
            .shutdown_timeout(Duration::ZERO)
    };
    let emit = async |n| -> Result<()> {
        let mut tx = outbox.begin().await?;
        outbox.emit(&mut tx, Ping::new(n)).await?;
        Ok(tx.commit().await?)
    };

    emit(0).await?;
    let dying = tokio::spawn(worker().run_until(std::future::pending()));
    probe.until_called("hopeless", 1).await;
    dying.abort();
    assert!(dying.await.is_err(), "it ended by itself");

    emit(1).await?;
    let hangs = probe.until("the event that hangs", |seen| seen.iter().any(|seen| seen.n == 1));
    worker().run_until(hangs).await?;
    let rows = outbox.deliveries(&DeliveryFilter::all()).await?;
    let rows: Vec<_> = rows.iter().map(|row| (row.state, row.attempts)).collect();
    assert_eq!(rows, [(DeliveryState::Retrying, 0)]);

    probe.forget();
    probe.rescript(|_, _, _| Act::Succeed);
    let again = probe.until("the event again", |seen| seen.iter().any(|seen| seen.n == 1));
    worker().run_until(again).await?;
    assert!(outbox.deliveries(&DeliveryFilter::all().state(DeliveryState::Dead)).await?.is_empty());
    Ok(())
}
