//! A payload of any older version is read through the chain of upcasts.

use outbox_runtime::{Event, Registry, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[derive(Event, Serialize, Deserialize, JsonSchema, Debug, PartialEq)]
#[event(name = "order.placed", version = 3, upcast(from = v2::OrderPlaced), key = id)]
struct OrderPlaced {
    id: u64,
    total: i64,
    currency: String,
}

mod v2 {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(name = "order.placed", version = 2, upcast(from = super::OrderPlacedV1), retired)]
    pub struct OrderPlaced {
        pub id: u64,
        pub total: i64,
    }
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", retired)]
pub struct OrderPlacedV1 {
    id: u64,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.cancelled", version = 2, no_upcast)]
struct OrderCancelled {}

impl From<OrderPlacedV1> for v2::OrderPlaced {
    fn from(older: OrderPlacedV1) -> Self {
        Self { id: older.id, total: 0 }
    }
}

impl From<v2::OrderPlaced> for OrderPlaced {
    fn from(older: v2::OrderPlaced) -> Self {
        Self { id: older.id, total: older.total, currency: "EUR".to_owned() }
    }
}

registry! {
    struct Shop;
    events: [OrderPlaced, v2::OrderPlaced, OrderPlacedV1, OrderCancelled],
}

fn main() {
    let payload = |json: &str| RawValue::from_string(json.to_owned()).expect("valid JSON");
    for (version, json, total, currency) in [
        (3, r#"{"id":7,"total":5,"currency":"USD"}"#, 5, "USD"),
        (2, r#"{"id":7,"total":5}"#, 5, "EUR"),
        (1, r#"{"id":7}"#, 0, "EUR"),
    ] {
        let read = OrderPlaced::decode(version, &payload(json)).expect("a known version");
        assert_eq!(read, OrderPlaced { id: 7, total, currency: currency.to_owned() });
    }
    assert!(OrderPlaced::decode(0, &payload("{}")).is_err());
    assert!(OrderPlaced::decode(4, &payload("{}")).is_err());
    assert!(OrderCancelled::decode(1, &payload("{}")).is_err());
    let retired: Vec<bool> = Shop::registry().events.iter().map(|event| event.retired).collect();
    assert_eq!(retired, [false, true, true, false]);
}
