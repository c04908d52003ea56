use outbox_runtime::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 2, upcast(OrderPlacedV1))]
struct OrderPlaced {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.paid", retired = true, reserved(coupon), version)]
struct OrderPaid {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.shipped", key = )]
struct OrderShipped {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.sent" version = 2)]
struct OrderSent {}

fn main() {}
