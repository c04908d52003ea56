//! Serde's attributes mean for an event what they mean elsewhere.

use outbox_runtime::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[derive(Debug, PartialEq, Event, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[event(name = "order.placed", key = order_id, reserved("order_id", "coupon"))]
struct OrderPlaced {
    order_id: u64,
    #[serde(rename = "amount", alias = "sum")]
    total: i64,
    #[serde(flatten)]
    address: Address,
    #[serde(skip)]
    cached: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(default = "currency")]
    currency: String,
    status: Status,
}

impl Default for OrderPlaced {
    fn default() -> Self {
        Self {
            order_id: 0,
            total: 0,
            address: Address { city: String::new() },
            cached: None,
            note: None,
            currency: currency(),
            status: Status::Open,
        }
    }
}

fn currency() -> String {
    "EUR".to_owned()
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Address {
    city: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Status {
    Open,
    #[serde(other)]
    Unknown,
}

fn read(json: &str) -> OrderPlaced {
    let payload = RawValue::from_string(json.to_owned()).expect("valid JSON");
    OrderPlaced::decode(1, &payload).expect("a placed order")
}

fn main() {
    let order = read(r#"{"orderId":7,"sum":3,"city":"Oslo","status":"lost","later":1}"#);
    assert_eq!((order.order_id, order.total, &*order.address.city), (7, 3, "Oslo"));
    assert_eq!((order.status, &*order.currency), (Status::Unknown, "EUR"));
    assert_eq!(OrderPlaced::KEY_PROPERTY, Some("orderId"));
    assert_eq!(
        serde_json::to_string(&OrderPlaced::default()).expect("it is JSON"),
        r#"{"orderId":0,"amount":0,"city":"","currency":"EUR","status":"open"}"#
    );
}
