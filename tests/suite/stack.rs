//! What a worker needs of the stack of whoever runs it. Futures that lie inside of one another are
//! large, most of all without optimisation and with TLS in sqlx, and a thread has two mebibytes.

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{Postgres, Sqlite};
use outbox_tests::{Db, Ping, Probe};

use crate::consumers::Ordered;

/// Half of what a thread has; the worker used to need all of it, with TLS.
const STACK: usize = 1024 * 1024;

fn drains_on_a_small_stack<DB: Db>() -> Result<()> {
    let drained = std::thread::Builder::new().stack_size(STACK).spawn(|| -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let outbox = TestOutbox::<Ordered, DB>::new().await?;
            let mut tx = outbox.begin().await?;
            outbox.emit(&mut tx, Ping::keyed("a", 1)).await?;
            tx.commit().await?;
            let tally = outbox.drain(Probe::default()).await?;
            assert_eq!(tally.handled, 1);
            Ok(())
        })
    })?;
    drained.join().expect("it does not panic")
}

#[test]
fn a_worker_drains_on_a_small_stack_postgres() -> Result<()> {
    drains_on_a_small_stack::<Postgres>()
}

#[test]
fn a_worker_drains_on_a_small_stack_sqlite() -> Result<()> {
    drains_on_a_small_stack::<Sqlite>()
}
