//! A key that is a field names its property as serde writes it.

use outbox_runtime::{Event, EventKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "plain", key = order_id)]
struct Plain {
    order_id: uuid::Uuid,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[event(name = "camel", version = 1)]
#[event(key = order_id)]
struct Camel {
    order_id: Option<String>,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "renamed", key = order_id)]
struct Renamed {
    #[serde(rename = "ref", alias = "order_id")]
    order_id: u64,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "tuple", key = 1)]
struct Tuple(u64, String);

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "skipped", key = tenant)]
struct Skipped {
    #[serde(skip)]
    tenant: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct AccountId(u64);

impl EventKey for AccountId {
    fn to_key(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.0.to_key()
    }
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "newtype", key = account)]
struct Newtype {
    account: AccountId,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "unit")]
struct Unit;

fn main() {
    assert_eq!(Plain::KEY_PROPERTY, Some("order_id"));
    assert_eq!(Camel::KEY_PROPERTY, Some("orderId"));
    assert_eq!(Renamed::KEY_PROPERTY, Some("ref"));
    assert_eq!(Tuple::KEY_PROPERTY, None);
    assert_eq!(Skipped::KEY_PROPERTY, None);
    assert_eq!(Tuple(1, "k".to_owned()).key().as_deref(), Some("k"));
    assert_eq!(Newtype { account: AccountId(7) }.key().as_deref(), Some("7"));
    assert_eq!(Camel { order_id: None }.key(), None);
    assert_eq!((Unit::VERSION, Unit::RETIRED, Unit.key()), (1, false, None));
}
