//! What handlers log stands in a span that says which delivery it was.

use std::io::Write;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{Delivery, Sqlite, consumer, registry};
use outbox_tests::Ping;

#[consumer(name = "talks", start = beginning)]
async fn talks(ping: Delivery<Ping>) {
    tracing::info!(n = ping.n, "hello from a handler");
}

registry! {
    struct Talks;
    events: [Ping],
    consumers: [talks],
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// On one thread, since the subscriber is that thread's.
#[tokio::test]
async fn what_a_handler_logs_names_its_delivery() -> Result<()> {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let outbox = TestOutbox::<Talks, Sqlite>::new().await?;
    let mut tx = outbox.begin().await?;
    let emitted = outbox.emit(&mut tx, Ping::new(7)).await?;
    tx.commit().await?;
    outbox.drain(()).await?;

    let text = String::from_utf8(log.0.lock().expect("not poisoned").clone())?;
    let line = text.lines().find(|line| line.contains("hello from a handler")).expect("the line");
    let id = format!("id={}", emitted.id);
    let fields = ["outbox.deliver{", "consumer=\"talks\"", "event=test.ping", &id, "attempt=1"];
    for field in fields {
        assert!(line.contains(field), "{field} is missing: {line}");
    }
    Ok(())
}
