//! Durations are whole numbers of milliseconds, seconds, minutes, hours or days.

use std::time::Duration;

use outbox_runtime::{Batch, ConsumerDef, Delivery, Event, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "tick")]
struct Tick {}

#[consumer(name = "milliseconds", timeout = "500ms", delay = "0ms")]
async fn milliseconds(_: Delivery<Tick>) {}

#[consumer(name = "seconds", timeout = "20s", delay = "30s")]
async fn seconds(_: Delivery<Tick>) {}

#[consumer(name = "minutes", timeout = "10m", delay = "010m")]
async fn minutes(_: Delivery<Tick>) {}

#[consumer(name = "hours", timeout = "4h", delay = "36h")]
async fn hours(_: Delivery<Tick>) {}

#[consumer(name = "days", timeout = "7d", delay = "3650d", retry(backoff = "1ms..1d"))]
async fn days(_: Delivery<Tick>) {}

#[consumer(name = "batch", batch(max = 5, wait = "250ms"))]
async fn batch(_: Batch<Tick>) {}

fn main() {
    let minute = Duration::from_secs(60);
    assert_eq!(milliseconds::OPTIONS.timeout, Duration::from_millis(500));
    assert_eq!(milliseconds::delay(&Tick {}), Some(Duration::ZERO));
    assert_eq!(seconds::OPTIONS.timeout, Duration::from_secs(20));
    assert_eq!(seconds::delay(&Tick {}), Some(Duration::from_secs(30)));
    assert_eq!(minutes::OPTIONS.timeout, minute * 10);
    assert_eq!(minutes::delay(&Tick {}), Some(minute * 10));
    assert_eq!(hours::OPTIONS.timeout, minute * 60 * 4);
    assert_eq!(hours::delay(&Tick {}), Some(minute * 60 * 36));
    assert_eq!(days::OPTIONS.timeout, minute * 60 * 24 * 7);
    assert_eq!(days::delay(&Tick {}), Some(minute * 60 * 24 * 3650));
    assert_eq!(batch::OPTIONS.batch.map(|batch| batch.wait), Some(Duration::from_millis(250)));
}
