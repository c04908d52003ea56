//! Tuple structs and unit structs are events.

use outbox_runtime::{Delivery, Event, Registry, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "moved", key = 0)]
struct Moved(u64, (i32, i32));

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "renamed", key = self.0)]
struct Renamed(String);

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "started")]
struct Started;

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "emptied")]
struct Emptied();

#[consumer(name = "follows")]
async fn follow(moved: Delivery<Moved>) {
    let Moved(_, (_x, _y)) = moved.event;
}

#[consumer(name = "starts")]
async fn start(Started: Started) {}

registry! {
    struct Things;
    events: [Moved, Renamed, Started, Emptied],
    consumers: [follow, start],
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!(Moved(7, (1, 2)).key().as_deref(), Some("7"));
    assert_eq!(Renamed("a".to_owned()).key().as_deref(), Some("a"));
    assert_eq!((Started.key(), Emptied().key()), (None, None));
    start(Started).await;
    assert_eq!(Things::registry().events.len(), 4);
}
