//! A key may be computed from `self`: borrowed where it can be, owned where it must be.

use std::borrow::Cow;

use outbox_runtime::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Customer {
    id: String,
    tenant: u32,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "a", key = self.customer.id)]
struct Nested {
    customer: Customer,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "b", key = format!("{}/{}", self.customer.tenant, self.customer.id))]
struct Formatted {
    customer: Customer,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "c", key = self.tenant_of_customer())]
struct Called {
    customer: Customer,
}

impl Called {
    fn tenant_of_customer(&self) -> u32 {
        self.customer.tenant
    }
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "d", key = if self.named { Some(&self.name) } else { None })]
struct Sometimes {
    named: bool,
    name: String,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "e", key = self.a + self.b)]
struct Sum {
    a: u64,
    b: u64,
}

macro_rules! event_by_macro {
    ($name:ident, $event_name:literal, $field:ident: $type:ty) => {
        #[derive(Event, Serialize, Deserialize, JsonSchema)]
        #[event(name = $event_name, key = self.$field)]
        struct $name {
            $field: $type,
        }
    };
}

event_by_macro!(ByMacro, "f", id: u64);

macro_rules! event_with_key {
    ($name:ident, $key:expr) => {
        #[derive(Event, Serialize, Deserialize, JsonSchema)]
        #[event(name = "g", key = $key)]
        struct $name {
            id: u64,
        }
    };
}

event_with_key!(ByExpression, self.id);
event_with_key!(ByField, id);

fn customer() -> Customer {
    Customer { id: "c".to_owned(), tenant: 3 }
}

fn main() {
    assert!(matches!(Nested { customer: customer() }.key(), Some(Cow::Borrowed("c"))));
    assert_eq!(Formatted { customer: customer() }.key().as_deref(), Some("3/c"));
    assert_eq!(Called { customer: customer() }.key().as_deref(), Some("3"));
    assert_eq!(Sometimes { named: false, name: "n".to_owned() }.key(), None);
    assert_eq!(Sometimes { named: true, name: "n".to_owned() }.key().as_deref(), Some("n"));
    assert_eq!(Sum { a: 1, b: 2 }.key().as_deref(), Some("3"));
    assert_eq!(ByMacro { id: 4 }.key().as_deref(), Some("4"));
    assert_eq!(ByExpression { id: 5 }.key().as_deref(), Some("5"));
    assert_eq!(ByField { id: 6 }.key().as_deref(), Some("6"));
}
