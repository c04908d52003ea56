//! Events as they are in a log: emitted, and read back.

use std::sync::OnceLock;

use chrono::DateTime;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{Cause, Emit, EventFilter, Sqlite, StoredEvent};
use serde_json::Map;

use crate::events::{Enabled, OtherPlaced, Shop, placed, posted, settled_by_card};

/// The events of a log, each emitted once.
pub(crate) fn events() -> &'static [StoredEvent] {
    static EVENTS: OnceLock<Vec<StoredEvent>> = OnceLock::new();
    EVENTS.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(emitted())
    })
}

async fn emitted() -> Vec<StoredEvent> {
    let outbox = TestOutbox::<Shop, Sqlite>::new().await.expect("a database");
    let cause = Cause::request()
        .correlation_id("req-1")
        .traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        .tracestate("a=1");
    let occurred = DateTime::from_timestamp(1_600_000_000, 0).expect("a time");
    let mut tx = outbox.begin().await.expect("a transaction");
    let order = Emit::new(placed())
        .occurred_at(occurred)
        .header("tenant", "acme")
        .header("Not-An-Attribute", "x")
        .header("id", "not the id");
    cause
        .scope(async {
            outbox.emit(&mut tx, order).await.expect("emitted");
            outbox.emit(&mut tx, posted()).await.expect("emitted");
        })
        .await;
    outbox.emit(&mut tx, settled_by_card()).await.expect("emitted");
    outbox.emit(&mut tx, Enabled {}).await.expect("emitted");
    outbox
        .emit(&mut tx, Emit::new(OtherPlaced { old: None, rest: Map::new() }).key("a key"))
        .await
        .expect("emitted");
    let broken = Emit::new(OtherPlaced { old: Some(true), rest: Map::new() }).key("a\u{1}b");
    outbox.emit(&mut tx, broken).await.expect("emitted");
    tx.commit().await.expect("committed");
    outbox.events(&EventFilter::all()).await.expect("the log")
}

/// The one event of this name and key.
pub(crate) fn event(name: &str, key: Option<&str>) -> &'static StoredEvent {
    let mut events = events().iter();
    events.find(|event| event.name == name && event.key.as_deref() == key).expect("it was emitted")
}
