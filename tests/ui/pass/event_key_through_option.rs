//! A key that may be absent: events without one have no order among them.

use std::borrow::Cow;

use outbox_runtime::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "a", key = customer)]
struct Direct {
    customer: Option<Uuid>,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "b", key = self.customer.as_ref().map(|customer| &customer.name))]
struct Nested {
    customer: Option<Customer>,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "c", key = self.tags.first())]
struct First {
    tags: Vec<String>,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "d", key = id)]
enum Maybe {
    Some { id: Option<i64> },
    Always { id: i64 },
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Customer {
    name: Cow<'static, str>,
}

fn main() {
    assert_eq!(Direct { customer: None }.key(), None);
    let nil = "00000000-0000-0000-0000-000000000000";
    assert_eq!(Direct { customer: Some(Uuid::nil()) }.key().as_deref(), Some(nil));
    assert_eq!(Nested { customer: None }.key(), None);
    let customer = Some(Customer { name: "ada".into() });
    assert_eq!(Nested { customer }.key().as_deref(), Some("ada"));
    assert_eq!(First { tags: Vec::new() }.key(), None);
    assert_eq!(First { tags: vec!["x".to_owned()] }.key().as_deref(), Some("x"));
    assert_eq!(Maybe::Some { id: None }.key(), None);
    assert_eq!(Maybe::Always { id: -1 }.key().as_deref(), Some("-1"));
}
