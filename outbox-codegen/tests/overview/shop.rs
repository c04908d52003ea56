//! A registry as people have them: two versions, an include, every separator in names, handlers and
//! consumers of each kind, and documentation with characters that mean something elsewhere.

// Handlers are for a service to call, and there is none.
#![allow(dead_code)]

use outbox_runtime::{
    Batch, Delivery, Error, Event, OutboxTx, Postgres, Registry, RegistryInfo, Tx, consumer, emits,
    registry,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An order was placed | by a `customer|guest`, *never* by <b>us</b>.
///
/// # Emitted by
///
/// Whoever sells. See [`OrderPlacedV1`] for `Vec<Item>` and <script>.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 2, key = order_id, upcast(from = OrderPlacedV1), reserved("coupon"))]
pub(crate) struct OrderPlaced {
    /// The order | its `id`.
    pub(crate) order_id: Uuid,
    /// In cents,
    /// without tax.
    #[serde(alias = "amount")]
    pub(crate) total: i64,
    /// What.
    pub(crate) items: Vec<Item>,
    /// Why \| so.
    pub(crate) note: Option<String>,
}

/// One line of an order.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Item {
    /// What.
    pub(crate) sku: String,
    /// How many.
    #[serde(default)]
    pub(crate) count: u32,
    /// What is in it.
    pub(crate) parts: Vec<Item>,
}

/// As it was before orders had items.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 1, key = order_id, retired)]
pub(crate) struct OrderPlacedV1 {
    pub(crate) order_id: Uuid,
    pub(crate) total: i64,
}

impl From<OrderPlacedV1> for OrderPlaced {
    fn from(old: OrderPlacedV1) -> Self {
        Self { order_id: old.order_id, total: old.total, items: Vec::new(), note: None }
    }
}

/// Something became of a parcel.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "parcel:moved", version = 1)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum ParcelMoved {
    /// It left.
    Sent {
        /// When.
        at: chrono::DateTime<chrono::Utc>,
    },
    /// It came back.
    Returned {
        /// Why.
        reason: Reason,
    },
    /// Nobody knows.
    Lost,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) enum Reason {
    Refused,
    Unknown,
}

/// What a client asks for.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Cancel {
    /// Which one.
    pub(crate) id: u64,
}

/// Cancels an order.
#[emits(name = "rpc/orders.cancel", version = 1, key = input.id, input(cancel))]
pub(crate) async fn cancel_order(mut tx: OutboxTx<Postgres>, cancel: Cancel) -> Result<u64, Error> {
    let _ = &mut tx;
    Ok(cancel.id)
}

/// Sends a parcel.
#[emits(ParcelMoved, with = |at: &chrono::DateTime<chrono::Utc>| ParcelMoved::Sent { at: *at })]
pub(crate) async fn send_parcel(
    tx: &mut Tx<'_, Postgres>,
    at: chrono::DateTime<chrono::Utc>,
) -> Result<(), Error> {
    let _ = (tx, at);
    Ok(())
}

/// Sends a receipt.
#[consumer(
    name = "mail.receipt",
    retry(max = 8, backoff = "1s..5m"),
    timeout = "20s",
    delay = "1m",
    audit,
    when = |order| order.total > 0
)]
pub(crate) async fn receipt(order: Delivery<OrderPlaced>) {
    let _ = order;
}

/// Reserves stock.
#[consumer(name = "stock.reserve", start = beginning, delivery = tx, ordered, shards = 4)]
pub(crate) async fn reserve(
    order: Delivery<OrderPlaced>,
    tx: &mut Tx<'_, Postgres>,
) -> Result<(), Error> {
    let _ = (order, tx);
    Ok(())
}

/// Tells a customer where the parcel is.
#[consumer(name = "mail.parcel", retry = none, ordered, on_dead = continue)]
pub(crate) async fn parcel(moved: Delivery<ParcelMoved>) {
    let _ = moved;
}

/// Writes the ledger.
#[consumer(name = "ledger", batch(max = 500, wait = "1s"))]
pub(crate) async fn ledger(paid: Batch<billing::InvoicePaid>) {
    let _ = paid;
}

pub(crate) mod billing {
    //! A registry of another team.

    use super::{Delivery, Deserialize, Event, JsonSchema, Serialize, consumer, registry};

    /// An invoice was paid.
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(name = "stripe:invoice.paid", version = 1, key = self.invoice.to_string())]
    pub(crate) struct InvoicePaid {
        pub(crate) invoice: u64,
    }

    /// Closes the account of who has paid everything.
    #[consumer(name = "accounts.close")]
    pub(crate) async fn close(paid: Delivery<InvoicePaid>) {
        let _ = paid;
    }

    registry! {
        /// Money.
        pub(crate) struct Billing;
        events: [InvoicePaid],
        consumers: [close],
    }
}

registry! {
    /// Everything that the shop emits and consumes.
    pub(crate) struct Shop;
    include: [billing::Billing],
    events: [OrderPlaced, OrderPlacedV1, ParcelMoved],
    handlers: [cancel_order, send_parcel],
    consumers: [receipt, reserve, parcel, ledger],
}

/// The registry as a value.
pub(crate) fn shop() -> RegistryInfo {
    Shop::registry()
}

/// One event, one consumer.
pub(crate) fn small() -> RegistryInfo {
    let mut small = billing::Billing::registry();
    let mut handler = Shop::registry().handlers.remove(0);
    handler.event_name = small.events[0].name;
    handler.registry = small.name;
    small.handlers.push(handler);
    small
}
