//! Orders, which end in invoices. The runtime is a dependency of another name here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use events::{Delivery, Event, FromRef, State, consumer, registry};
use outbox_tests_billing::{Billing, BillingState, InvoicePaid};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An order was placed.
#[derive(Debug, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 2, key = order_id, upcast(from = OrderPlacedV1))]
#[event(crate = ::events)]
pub struct OrderPlaced {
    /// Which.
    pub order_id: u64,
    /// In which currency.
    pub currency: String,
}

/// An order was placed, before there were currencies.
#[derive(Debug, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id, retired, crate = ::events)]
pub struct OrderPlacedV1 {
    /// Which.
    pub order_id: u64,
}

impl From<OrderPlacedV1> for OrderPlaced {
    fn from(older: OrderPlacedV1) -> Self {
        Self { order_id: older.order_id, currency: "EUR".to_owned() }
    }
}

/// Counts what the shop did.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// How much was counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// What the shop needs of the application.
#[derive(Clone, Debug)]
pub struct ShopState {
    /// Counts orders and payments.
    pub counter: Counter,
    /// What billing needs.
    pub billing: BillingState,
}

impl FromRef<ShopState> for Counter {
    fn from_ref(state: &ShopState) -> Self {
        state.counter.clone()
    }
}

impl FromRef<ShopState> for BillingState {
    fn from_ref(state: &ShopState) -> Self {
        state.billing
    }
}

/// Packs the order.
#[consumer(name = "shop.pack", start = beginning, ordered, crate = ::events)]
pub async fn pack(order: Delivery<OrderPlaced>, State(counter): State<Counter>) {
    let _ = order;
    counter.0.fetch_add(1, Ordering::SeqCst);
}

/// Sends the order when billing has the money.
#[consumer(name = "shop.send", start = beginning, when = |paid| paid.cents > 0, crate = ::events)]
pub async fn send(paid: Delivery<InvoicePaid>, State(counter): State<Counter>) {
    let _ = paid;
    counter.0.fetch_add(1, Ordering::SeqCst);
}

registry! {
    /// What the shop emits and consumes, with billing.
    pub struct Shop;
    state: ShopState,
    include: [Billing],
    events: [OrderPlaced, OrderPlacedV1],
    consumers: [pack, send],
    crate: ::events,
}
