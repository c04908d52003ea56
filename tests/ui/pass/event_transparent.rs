//! An event may be written as its only field, or as another type; then no property holds the key.

use outbox_runtime::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[event(name = "transparent", key = id)]
struct Transparent {
    id: u64,
}

#[derive(Clone, Event, Serialize, Deserialize, JsonSchema)]
#[serde(into = "(u64, String)", from = "(u64, String)")]
#[schemars(with = "(u64, String)")]
#[event(name = "pair", key = id)]
struct Pair {
    id: u64,
    name: String,
}

impl From<Pair> for (u64, String) {
    fn from(pair: Pair) -> Self {
        (pair.id, pair.name)
    }
}

impl From<(u64, String)> for Pair {
    fn from((id, name): (u64, String)) -> Self {
        Self { id, name }
    }
}

fn main() {
    let event = Transparent { id: 7 };
    assert_eq!(serde_json::to_string(&event).expect("it is JSON"), "7");
    assert_eq!((event.key().as_deref(), Transparent::KEY_PROPERTY), (Some("7"), None));
    let pair = Pair { id: 7, name: "seven".to_owned() };
    assert_eq!(serde_json::to_string(&pair).expect("it is JSON"), r#"[7,"seven"]"#);
    assert_eq!((pair.key().as_deref(), Pair::KEY_PROPERTY), (Some("7"), None));
}
