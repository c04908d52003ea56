//! After a worker died with its leases.

use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestDatabase;
use outbox_runtime::{Outbox, Worker};
use outbox_tests::{Db, Ping, Probe};

use crate::consumers::Ordered;

crate::both! {
    events_of_a_key_keep_their_order_while_they_are_run_one_at_a_time,
}

/// The events that may have killed the worker before are run one at a time, each attempt recorded
/// first. There are more events than that, and fewer in a page, so that keys pass from there into
/// normal running with events both in memory and in the log.
async fn events_of_a_key_keep_their_order_while_they_are_run_one_at_a_time<DB: Db>() -> Result<()> {
    const EVENTS: u64 = 1_000;
    for (page_size, keys) in [(500, 2), (100, 3), (20, 5)] {
        let database = TestDatabase::<DB>::create().await?;
        let outbox = Outbox::<Ordered, DB>::new(database.pool().clone());
        outbox.migrate().await?;
        let probe = Probe::default();
        let key = |n: u64| Ping::keyed(&(n % keys).to_string(), n);
        let worker = || {
            let lease = Duration::from_millis(500);
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
