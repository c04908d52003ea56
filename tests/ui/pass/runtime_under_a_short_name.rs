//! `use outbox_runtime as ob`: attributes and arguments may be written as paths.

use outbox_runtime as ob;

#[derive(ob::Event, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[event(name = "order.placed", key = id)]
struct OrderPlaced {
    id: u64,
}

#[ob::consumer(name = "email.receipt")]
async fn receipt(
    ob::Delivery { event: OrderPlaced { id }, .. }: ob::Delivery<OrderPlaced>,
    ob::State(_state): ob::State<u8>,
    _context: ob::Context,
) -> ob::Outcome {
    ob::Outcome::skip(id.to_string())
}

#[::outbox_runtime::consumer(name = "analytics", batch(max = 3))]
async fn track(_: ::outbox_runtime::Batch<self::OrderPlaced>) {}

#[ob::consumer(name = "stock.reserve", delivery = tx)]
async fn reserve(_: ob::Delivery<crate::OrderPlaced>, _: &mut ob::Tx<'_, ob::Postgres>) {}

ob::registry! {
    struct Shop;
    state: u8,
    events: [OrderPlaced],
    consumers: [receipt, track, reserve],
}

fn main() {
    let registry = <Shop as ob::Registry>::registry();
    assert_eq!(registry.consumers.len(), 3);
    assert_eq!(ob::Event::key(&OrderPlaced { id: 7 }).as_deref(), Some("7"));
}
