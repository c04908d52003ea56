//! An event that no derive made: a name and a version; and `Emittable`, unless it is only read.

use std::borrow::Cow;

use outbox_runtime::{
    DecodeError, Delivery, Emittable, Event, Registered, Registry, consumer, registry,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct OrderPlaced {
    id: u64,
}

impl Event for OrderPlaced {
    const NAME: &'static str = "order.placed";
    const VERSION: u32 = 2;

    fn key(&self) -> Option<Cow<'_, str>> {
        Some(self.id.to_string().into())
    }

    fn decode_older(version: u32, payload: &RawValue) -> Result<Self, DecodeError> {
        OrderPlacedV1::decode(version, payload).map(|OrderPlacedV1(id)| Self { id })
    }
}

impl Emittable for OrderPlaced {}

#[derive(Serialize, Deserialize, JsonSchema)]
struct OrderPlacedV1(u64);

impl Event for OrderPlacedV1 {
    const NAME: &'static str = "order.placed";
    const VERSION: u32 = 1;
    const RETIRED: bool = true;
}

#[consumer(name = "email.receipt")]
async fn receipt(_: Delivery<OrderPlaced>) {}

registry! {
    struct Shop;
    events: [OrderPlaced, OrderPlacedV1],
    consumers: [receipt],
}

fn emits<E: Event + Emittable, R: Registered<E, I>, I>(_: &E, _: R) -> &'static str {
    E::NAME
}

/// Every event can be written, read and described by generic code.
fn schema_of<E: Event>(event: &E) -> usize {
    let json = serde_json::to_string(event).expect("it is JSON");
    serde_json::from_str::<E>(&json).expect("it reads what it wrote");
    schemars::schema_for!(E).as_value().to_string().len()
}

fn main() {
    let payload = RawValue::from_string("7".to_owned()).expect("valid JSON");
    assert_eq!(OrderPlaced::decode(1, &payload), Ok(OrderPlaced { id: 7 }));
    assert_eq!(emits(&OrderPlaced { id: 7 }, Shop), "order.placed");
    assert!(schema_of(&OrderPlaced { id: 7 }) > 0);
    assert_eq!(Shop::registry().events.len(), 2);
}
