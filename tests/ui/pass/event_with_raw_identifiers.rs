//! Fields and types may have names that are keywords; the payload has them without `r#`.

use outbox_runtime::{Delivery, Event, Registry, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "file.moved", key = r#type)]
struct r#Move {
    r#type: String,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "file.copied", key = self.r#type)]
struct Copied {
    r#type: String,
}

#[consumer(name = "file.move")]
async fn r#move(moved: Delivery<r#Move>) {
    drop(moved);
}

registry! {
    struct r#Files;
    events: [r#Move, Copied],
    consumers: [r#move],
}

fn main() {
    let moved = r#Move { r#type: "f".to_owned() };
    assert_eq!(moved.key().as_deref(), Some("f"));
    assert_eq!(r#Move::KEY_PROPERTY, Some("type"));
    assert_eq!(Copied::KEY_PROPERTY, None);
    assert_eq!(Copied { r#type: "f".to_owned() }.key().as_deref(), Some("f"));
    assert_eq!(Files::registry().name, "Files");
    assert_eq!(Files::registry().consumers.len(), 1);
}
