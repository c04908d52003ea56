//! Everything may be written by `macro_rules`, which wraps fragments in invisible groups.

use outbox_runtime::{ConsumerDef, Delivery, Event, Registry, State, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! feature {
    (
        $event:ident, $event_name:literal, $key:ident: $key_type:ty,
        $consumer:ident, $consumer_name:expr, $timeout:literal, $when:expr, $state:ty,
        $registry:ident
    ) => {
        #[derive(Event, Serialize, Deserialize, JsonSchema)]
        #[event(name = $event_name, key = $key)]
        pub struct $event {
            $key: $key_type,
        }

        #[consumer(name = $consumer_name, timeout = $timeout, when = $when)]
        async fn $consumer(event: Delivery<$event>, state: State<$state>) {
            let _ = (event, state);
        }

        list!($registry, $state, $event, $consumer);
    };
}

macro_rules! list {
    ($registry:ident, $state:ty, $event:ty, $consumer:path) => {
        by_value!($event, by_value);

        registry! {
            struct $registry;
            state: $state,
            events: [$event],
            consumers: [$consumer, by_value],
        }
    };
}

macro_rules! by_value {
    ($event:ty, $consumer:ident) => {
        #[consumer(name = "by-value")]
        async fn $consumer(event: $event) {
            drop(event);
        }
    };
}

feature!(
    OrderPlaced, "order.placed", id: u64,
    receipt, "email.receipt", "20s", |event| event.id > 0, u8,
    Shop
);

fn main() {
    assert_eq!(OrderPlaced { id: 7 }.key().as_deref(), Some("7"));
    assert!(receipt::when(&OrderPlaced { id: 7 }) && !receipt::when(&OrderPlaced { id: 0 }));
    assert_eq!(Shop::registry().consumers.len(), 2);
}
