//! What a registry's value says of its events beyond their schemas.

use outbox_runtime::{Alias, Event, EventInfo, Registry, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An order
/// was placed.
#[doc = include_str!("../order.md")]
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 2, upcast(from = OrderPlacedV1))]
#[event(reserved("coupon", "voucher"))]
#[serde(rename_all = "camelCase")]
struct OrderPlaced {
    #[serde(alias = "number", alias = "no")]
    order_id: u64,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", retired)]
struct OrderPlacedV1 {
    order_id: u64,
}

impl From<OrderPlacedV1> for OrderPlaced {
    fn from(older: OrderPlacedV1) -> Self {
        Self { order_id: older.order_id }
    }
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.changed")]
#[serde(rename_all = "snake_case")]
enum OrderChanged {
    #[serde(alias = "opened")]
    WasOpened,
    #[serde(other)]
    SomethingElse,
}

registry! {
    struct Shop;
    events: [OrderPlaced, OrderPlacedV1, OrderChanged],
}

/// An event by hand needs no more than before.
#[derive(Serialize, Deserialize, JsonSchema)]
struct ByHand {}

impl Event for ByHand {
    const NAME: &'static str = "by.hand";
    const VERSION: u32 = 1;
}

fn main() {
    let shop = Shop::registry();
    let [placed, older, changed] = &shop.events[..] else { panic!("three events") };
    assert_eq!(placed.declared.docs, "An order\nwas placed.\nIt has a *number*.\n");
    assert_eq!((placed.upcast_from, older.upcast_from), (Some(1), None));
    assert_eq!(placed.reserved, ["coupon", "voucher"]);
    assert!(older.retired && !placed.retired);
    let number =
        Alias { variant: None, property: Some("orderId"), names: &["number", "no"] };
    assert_eq!(placed.aliases, [number]);
    let opened = Alias { variant: Some("was_opened"), property: None, names: &["opened"] };
    assert_eq!((changed.aliases, changed.other), (&[opened][..], Some("something_else")));
    assert_eq!(EventInfo::of::<ByHand>().declared.to_string(), "(unknown)");
}
