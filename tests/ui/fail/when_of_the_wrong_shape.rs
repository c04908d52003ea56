use outbox_runtime::{Delivery, Event, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

fn positive(total: &i64) -> bool {
    *total > 0
}

fn amount(order: &OrderPlaced) -> i64 {
    order.total
}

const LIMIT: i64 = 7;

#[consumer(name = "of-another-type", when = positive)]
async fn of_another_type(_: Delivery<OrderPlaced>) {}

#[consumer(name = "by-value", when = std::mem::drop::<OrderPlaced>)]
async fn by_value(_: Delivery<OrderPlaced>) {}

#[consumer(name = "no-bool", when = amount)]
async fn no_bool(_: Delivery<OrderPlaced>) {}

#[consumer(name = "no-function", when = LIMIT)]
async fn no_function(_: Delivery<OrderPlaced>) {}

#[consumer(name = "no-bool.closure", when = |order| order.total)]
async fn no_bool_closure(_: Delivery<OrderPlaced>) {}

#[consumer(name = "too-many", when = |order, _| order.total > 0)]
async fn too_many(_: Delivery<OrderPlaced>) {}

#[consumer(name = "no-field", when = |order| order.sum > 0)]
async fn no_field(_: Delivery<OrderPlaced>) {}

fn main() {}
