//! Events, consumers and registries may be local to a function, each function with its own.

use outbox_runtime::{Delivery, Event, Registry, State, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn first() -> &'static str {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(name = "first", version = 2, upcast(from = Older), key = id)]
    struct Tick {
        id: u64,
    }

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(name = "first", retired)]
    struct Older {}

    impl From<Older> for Tick {
        fn from(_: Older) -> Self {
            Self { id: 0 }
        }
    }

    #[consumer(name = "first", when = |tick| tick.id > 0, delay = "1s")]
    async fn count(_: Delivery<Tick>, _: State<u8>) {}

    registry! {
        struct Clock;
        state: u8,
        events: [Tick, Older],
        consumers: [count],
    }
    Clock::registry().consumers[0].event_name
}

fn second() -> &'static str {
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(name = "second")]
    struct Tick {}

    mod inner {
        #[outbox_runtime::consumer(name = "second")]
        pub(super) async fn count(_: crate::Outer) {}
    }

    registry! {
        struct Clock;
        events: [Tick, Outer],
        consumers: [inner::count],
    }
    Clock::registry().consumers[0].event_name
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "outer")]
struct Outer {}

fn main() {
    assert_eq!((first(), second()), ("first", "outer"));
}
