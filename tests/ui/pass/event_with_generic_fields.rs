//! An event is not generic, but its fields may have any generic type.

use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;

use outbox_runtime::{Event, Registry, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Page<T> {
    items: Vec<T>,
    next: Option<Box<Page<T>>>,
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
struct Id<T> {
    id: u64,
    #[serde(skip)]
    of: PhantomData<T>,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "listed", key = self.owner.id)]
struct Listed {
    owner: Id<String>,
    pages: Page<HashMap<String, Option<Vec<(u8, [i64; 3])>>>>,
    counts: BTreeMap<String, Result<u64, String>>,
}

registry! {
    struct Lists;
    events: [Listed],
}

fn main() {
    let owner = Id { id: 7, of: PhantomData };
    let inner = Page { items: vec![HashMap::new()], next: None };
    let pages = Page { items: Vec::new(), next: Some(Box::new(inner)) };
    let listed = Listed { owner, pages, counts: BTreeMap::new() };
    assert_eq!(listed.key().as_deref(), Some("7"));
    let schema = (Lists::registry().events[0].write_schema)();
    assert!(schema.as_value().to_string().contains("counts"));
}
