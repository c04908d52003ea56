//! Events, and consumers of them, may have the names of what is in Rust's prelude.

#![allow(dead_code)]

use outbox_runtime::{ConsumerDef, Delivery, Event, Registry, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

// What serde and schemars generate leaves such names alone too, as long as fields avoid them.
mod facts {
    use super::*;

    macro_rules! named {
        ($($name:ident $event:literal),+) => {$(
            #[derive(Event, Serialize, Deserialize, JsonSchema)]
            #[event(name = $event, version = 2, no_upcast, key = id)]
            pub struct $name {
                pub id: u64,
            }
        )+};
    }

    named!(Result "result", Option "option", String "string", Vec "vec", Some "some", Ok "ok");
    named!(Send "send", Sync "sync", Box "box", Default "default", From "from", Into "into");
}

mod reactions {
    use super::facts::{Option, Result, String, Vec};
    use super::*;

    #[consumer(name = "of-result", delay = "1s", when = |result| result.id > 0)]
    pub async fn of_result(_: Delivery<Result>) {}

    #[consumer(name = "of-option", batch(max = 2))]
    pub async fn of_option(_: outbox_runtime::Batch<Option>) {}

    #[consumer(name = "of-string", delivery = tx)]
    pub async fn of_string(_: String, _: &mut outbox_runtime::Tx<'_, sqlx::Postgres>) {}

    #[consumer(name = "of-vec", retry = none)]
    pub async fn drop(_: Delivery<Vec>) {}

    registry! {
        pub struct Names;
        events: [Result, Option, String, Vec, super::facts::Send],
        consumers: [of_result, of_option, of_string, drop],
    }
}

fn main() {
    assert_eq!(facts::Result { id: 7 }.key().as_deref(), Some("7"));
    assert!(!reactions::of_result::when(&facts::Result { id: 0 }));
    assert_eq!(reactions::Names::registry().consumers.len(), 4);
}
