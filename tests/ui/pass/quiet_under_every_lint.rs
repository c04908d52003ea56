//! What is generated causes no warning, in public modules, in private ones, and in functions.

#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    single_use_lifetimes,
    future_incompatible,
    nonstandard_style,
    rust_2018_idioms,
    let_underscore_drop,
    trivial_casts
)]
#![forbid(unsafe_code)]

/// Public things.
pub mod shop {
    use outbox_runtime::{Batch, Delivery, Event, State, Tx, consumer, registry};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    /// An order was placed.
    #[derive(Debug, Event, Serialize, Deserialize, JsonSchema)]
    #[event(name = "order.placed", version = 2, key = id, upcast(from = OrderPlacedV1))]
    pub struct OrderPlaced {
        /// The order.
        pub id: u64,
    }

    /// An order was placed, long ago.
    #[derive(Debug, Event, Serialize, Deserialize, JsonSchema)]
    #[event(name = "order.placed", key = self.id + 1, retired)]
    pub struct OrderPlacedV1 {
        /// The order.
        pub id: u64,
    }

    impl From<OrderPlacedV1> for OrderPlaced {
        fn from(older: OrderPlacedV1) -> Self {
            Self { id: older.id }
        }
    }

    /// Sends a receipt.
    #[consumer(name = "email.receipt", when = |order| order.id > 0, delay = "1s", audit)]
    pub async fn receipt(order: Delivery<OrderPlaced>, State(()): State<()>) -> Result<(), String> {
        Err(format!("{order:?}"))
    }

    /// Reserves stock.
    #[consumer(name = "stock.reserve", delivery = tx)]
    pub(crate) async fn reserve(_order: OrderPlaced, _tx: &mut Tx<'_, sqlx::Postgres>) {}

    #[deprecated = "nobody looks at it"]
    #[consumer(name = "analytics", batch(max = 10))]
    async fn track(_orders: Batch<OrderPlaced>) {}

    registry! {
        /// Everything the shop emits and consumes.
        pub struct Shop;
        events: [OrderPlaced, OrderPlacedV1],
        consumers: [receipt, reserve, track],
    }
}

/// Everything of the shop and more.
pub mod market {
    use outbox_runtime::{EmittingHandler, EventKey, registry};

    /// The number of an order.
    #[derive(Debug, EventKey)]
    pub struct OrderId<T>(pub T);

    /// What `#[emits]` makes of a function.
    #[derive(Debug)]
    #[allow(non_camel_case_types)]
    pub struct place_order {}

    impl EmittingHandler for place_order {
        type Event = super::shop::OrderPlaced;
        type Generated = ();
        const NAME: &'static str = "place_order";
        const GENERATES: bool = false;
        const COMMITS: bool = false;
    }

    registry! {
        /// Everything that the market emits and consumes.
        pub struct Market;
        state: u8,
        include: [super::shop::Shop],
        handlers: [place_order],
    }
}

/// A consumer and a registry may be local to a function, as in tests.
fn local() -> usize {
    use outbox_runtime::{Event, Registry, consumer, registry};

    #[derive(Event, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
    #[event(name = "tick")]
    struct Tick {}

    #[consumer(name = "ticks")]
    async fn count(_: Tick) {}

    registry! {
        struct Clock;
        events: [Tick],
        consumers: [count],
    }
    Clock::registry().consumers.len()
}

fn main() {
    assert_eq!(local(), 1);
}
