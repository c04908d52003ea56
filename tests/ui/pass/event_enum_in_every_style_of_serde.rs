//! An enum may be written in each of the four ways that serde has for enums.

use outbox_runtime::{Event, Registry, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

macro_rules! styles {
    ($($style:ident $name:literal $(#[$serde:meta])?;)+) => {$(
        #[derive(Debug, PartialEq, Event, Serialize, Deserialize, JsonSchema)]
        $(#[$serde])?
        #[event(name = $name, key = order_id)]
        enum $style {
            Placed { order_id: u64, total: i64 },
            Shipped { order_id: u64 },
        }

        impl $style {
            const PLACED: Self = Self::Placed { order_id: 7, total: 3 };
        }
    )+};
}

styles! {
    External "external";
    Internal "internal" #[serde(tag = "type")];
    Adjacent "adjacent" #[serde(tag = "type", content = "data")];
    Untagged "untagged" #[serde(untagged)];
}

registry! {
    struct Styles;
    events: [External, Internal, Adjacent, Untagged],
}

fn written_and_read<E: Event + PartialEq + std::fmt::Debug>(event: &E, json: &str) {
    assert_eq!(serde_json::to_string(event).expect("it is JSON"), json);
    let payload = RawValue::from_string(json.to_owned()).expect("valid JSON");
    assert_eq!(E::decode(1, &payload).as_ref(), Ok(event));
    assert_eq!(event.key().as_deref(), Some("7"));
}

fn main() {
    written_and_read(&External::PLACED, r#"{"Placed":{"order_id":7,"total":3}}"#);
    written_and_read(&Internal::PLACED, r#"{"type":"Placed","order_id":7,"total":3}"#);
    written_and_read(
        &Adjacent::PLACED,
        r#"{"type":"Placed","data":{"order_id":7,"total":3}}"#,
    );
    written_and_read(&Untagged::PLACED, r#"{"order_id":7,"total":3}"#);
    assert_eq!(Untagged::Shipped { order_id: 8 }.key().as_deref(), Some("8"));
    assert_eq!((External::Shipped { order_id: 8 }).key().as_deref(), Some("8"));
    assert_eq!((Internal::Shipped { order_id: 8 }).key().as_deref(), Some("8"));
    assert_eq!((Adjacent::Shipped { order_id: 8 }).key().as_deref(), Some("8"));
    assert_eq!(Styles::registry().events.len(), 4);
}
