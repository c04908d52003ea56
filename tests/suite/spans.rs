//! What handlers log stands in a span that says which delivery it was.

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{Delivery, Sqlite, consumer, registry};
use outbox_tests::{Log, Ping};

#[consumer(name = "talks", start = beginning)]
async fn talks(ping: Delivery<Ping>) {
    tracing::info!(n = ping.n, "hello from a handler");
}

registry! {
    struct Talks;
    events: [Ping],
    consumers: [talks],
}

/// On one thread, since the subscriber is that thread's.
#[tokio::test]
async fn what_a_handler_logs_names_its_delivery() -> Result<()> {
    let (log, _guard) = Log::capture();
    let outbox = TestOutbox::<Talks, Sqlite>::new().await?;
    let mut tx = outbox.begin().await?;
    let emitted = outbox.emit(&mut tx, Ping::new(7)).await?;
    tx.commit().await?;
    outbox.drain(()).await?;

    let line = log.lines("hello from a handler").pop().expect("the line");
    let id = format!("id={}", emitted.id);
    let fields = ["outbox.deliver{", "consumer=\"talks\"", "event=test.ping", &id, "attempt=1"];
    for field in fields {
        assert!(line.contains(field), "{field} is missing: {line}");
    }
    Ok(())
}
