//! A new consumer begins now, at the beginning, or at a time in any form of RFC 3339.

use outbox_runtime::{ConsumerDef, Delivery, Event, Start, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "tick")]
struct Tick {}

#[consumer(name = "utc", start = "2026-01-31T09:00:00Z")]
async fn utc(_: Delivery<Tick>) {}

#[consumer(name = "offset", start = "2026-01-31 10:00:00.250+01:00")]
async fn offset(_: Delivery<Tick>) {}

#[consumer(name = "past", start = "1969-12-31T23:59:59Z")]
async fn past(_: Delivery<Tick>) {}

#[consumer(name = "now", start = now)]
async fn now(_: Delivery<Tick>) {}

#[consumer(name = "beginning", start = beginning)]
async fn beginning(_: Delivery<Tick>) {}

#[consumer(name = "unsaid")]
async fn unsaid(_: Delivery<Tick>) {}

fn millis(start: Start) -> i64 {
    match start {
        Start::At(time) => time.timestamp_millis(),
        Start::Now | Start::Beginning => panic!("not a time"),
    }
}

fn main() {
    assert_eq!(millis(utc::OPTIONS.start), 1_769_850_000_000);
    assert_eq!(millis(offset::OPTIONS.start), 1_769_850_000_250);
    assert_eq!(millis(past::OPTIONS.start), -1_000);
    assert_eq!((now::OPTIONS.start, unsaid::OPTIONS.start), (Start::Now, Start::Now));
    assert_eq!(beginning::OPTIONS.start, Start::Beginning);
}
