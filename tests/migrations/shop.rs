//! A shop that grows: the same registry, earlier and later.

use std::sync::{Arc, Mutex, PoisonError};

/// The orders that consumers have seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<u64>>>);

impl Seen {
    pub(crate) fn add(&self, order: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(order);
    }

    /// In the order of their numbers.
    pub(crate) fn orders(&self) -> Vec<u64> {
        let mut orders = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        orders.sort_unstable();
        orders
    }
}

pub(crate) mod first {
    use outbox_runtime::{Delivery, Event, State, consumer, registry};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    use super::Seen;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(name = "order.placed", key = order)]
    pub(crate) struct OrderPlaced {
        pub order: u64,
        pub customer: String,
        pub amount: i32,
    }

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(name = "order.cancelled")]
    pub(crate) struct OrderCancelled {
        pub order: u64,
    }

    #[consumer(name = "charge", shards = 2)]
    pub(crate) async fn charge(order: Delivery<OrderPlaced>, State(seen): State<Seen>) {
        seen.add(order.order);
    }

    registry! {
        pub(crate) struct Shop;
        state: Seen,
        events: [OrderPlaced, OrderCancelled],
        consumers: [charge],
    }
}

pub(crate) mod later {
    use chrono::{DateTime, NaiveDate, Utc};
    use outbox_runtime::{Delivery, Event, State, consumer, registry};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use uuid::Uuid;

    use super::Seen;
    use super::first::OrderPlaced as OrderPlacedV1;

    /// With a customer that was called otherwise for a while, and prices in cents.
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(
        name = "order.placed", version = 2, key = order, upcast(from = OrderPlacedV1),
        index(customer, placed_at)
    )]
    pub(crate) struct OrderPlaced {
        pub order: u64,
        #[serde(alias = "client", alias = "buyer")]
        pub customer: String,
        pub cents: i64,
        #[serde(default)]
        pub gift: bool,
        #[serde(default = "eur")]
        pub currency: String,
        pub reference: Option<Uuid>,
        pub placed_at: Option<DateTime<Utc>>,
        pub due: Option<NaiveDate>,
        #[serde(default)]
        pub weight: f64,
        #[serde(default)]
        pub lines: Vec<Line>,
        /// As an envelope column is called.
        #[serde(default)]
        pub version: Option<i64>,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(crate) struct Line {
        pub sku: String,
    }

    fn eur() -> String {
        "EUR".to_owned()
    }

    impl From<OrderPlacedV1> for OrderPlaced {
        fn from(old: OrderPlacedV1) -> Self {
            Self {
                order: old.order,
                customer: old.customer,
                cents: i64::from(old.amount) * 100,
                gift: false,
                currency: eur(),
                reference: None,
                placed_at: None,
                due: None,
                weight: 0.0,
                lines: Vec::new(),
                version: None,
            }
        }
    }

    /// A shape for each way to pay.
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(name = "payment.made")]
    #[serde(tag = "way", rename_all = "snake_case")]
    pub(crate) enum PaymentMade {
        Card { order: u64, last_digits: String },
        Invoice { order: u64, days: u32 },
    }

    #[consumer(name = "charge", shards = 2)]
    pub(crate) async fn charge(order: Delivery<OrderPlaced>, State(seen): State<Seen>) {
        seen.add(order.order);
    }

    #[consumer(name = "announce", shards = 3, ordered)]
    pub(crate) async fn announce(order: Delivery<OrderPlaced>, State(seen): State<Seen>) {
        seen.add(order.order);
    }

    registry! {
        pub(crate) struct Shop;
        state: Seen,
        events: [OrderPlaced, PaymentMade],
        consumers: [charge, announce],
    }

    /// After the charge has moved to another service.
    pub(crate) mod without_charge {
        use super::{OrderPlaced, PaymentMade, Seen, announce};

        outbox_runtime::registry! {
            pub(crate) struct Shop;
            state: Seen,
            events: [OrderPlaced, PaymentMade],
            consumers: [announce],
        }
    }
}
