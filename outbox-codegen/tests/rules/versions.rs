//! Rules about whole versions, and about what was released before.

use outbox_codegen::gate::{self, Level, Report};
use outbox_codegen::rules;
use outbox_codegen::schemas::Snapshot;
use outbox_runtime::{Event, EventInfo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::check::{all_released, code, golden, registry, released};

/// An order was placed.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed")]
struct OrderPlaced {
    order: u64,
    total: i64,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.created")]
struct OrderCreated {
    order: u64,
    total: i64,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 2, no_upcast)]
struct WithoutUpcast {
    order: u64,
    lines: Vec<String>,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 2, upcast(from = OrderPlaced), key = order)]
struct Upcast {
    order: u64,
    lines: Vec<String>,
}

impl From<OrderPlaced> for Upcast {
    fn from(old: OrderPlaced) -> Self {
        Self { order: old.order, lines: Vec::new() }
    }
}

fn snapshot(events: Vec<EventInfo>) -> Snapshot {
    Snapshot::of(&registry(events))
}

fn breaks(report: &Report, id: &str) -> bool {
    report.breaking().any(|finding| finding.rule.id == id)
}

fn file(id: &str, report: &Report) {
    assert!(rules::named(&id.replace('_', "-")).is_some(), "no rule `{id}`");
    golden(id, &report.to_string());
}

#[test]
fn event_renamed() {
    let report = gate::compare(&code::<OrderCreated>(), &released::<OrderPlaced>());
    assert!(breaks(&report, "event-renamed"), "{report}");
    file("event_renamed", &report);
}

#[test]
fn event_removed() {
    let report = gate::compare(&snapshot(Vec::new()), &released::<OrderPlaced>());
    assert!(breaks(&report, "event-removed"), "{report}");
    file("event_removed", &report);
}

#[test]
fn version_without_upcast() {
    let events = || vec![EventInfo::of::<OrderPlaced>(), EventInfo::of::<WithoutUpcast>()];
    let report = gate::compare(&snapshot(events()), &released::<OrderPlaced>());
    assert!(breaks(&report, "version-without-upcast"), "{report}");
    file("version_without_upcast", &report);
    // Once it is released, it has been decided.
    let report = gate::compare(&snapshot(events()), &all_released(snapshot(events())));
    assert!(!report.is_breaking(), "{report}");
}

#[test]
fn version_removed() {
    let report = gate::compare(&code::<Upcast>(), &released::<OrderPlaced>());
    assert!(breaks(&report, "version-removed"), "{report}");
    file("version_removed", &report);
}

#[test]
fn key_changed() {
    let events = vec![EventInfo::of::<OrderPlaced>(), EventInfo::of::<Upcast>()];
    let report = gate::compare(&snapshot(events), &released::<OrderPlaced>());
    assert!(!report.is_breaking(), "{report}");
    let is_warned = |finding: &gate::Finding| {
        finding.rule.id == "key-changed" && finding.level == Level::Warning
    };
    assert!(report.findings.iter().any(is_warned), "{report}");
    file("key_changed", &report);
}

mod coupons {
    use super::*;

    pub(super) mod before {
        use super::*;
        #[derive(Event, Serialize, Deserialize, JsonSchema)]
        #[event(name = "order.placed")]
        pub(crate) struct OrderPlaced {
            pub(crate) coupon: Option<String>,
        }
    }

    pub(super) mod between {
        use super::*;
        #[derive(Event, Serialize, Deserialize, JsonSchema)]
        #[event(name = "order.placed")]
        pub(crate) struct OrderPlaced {}
    }

    pub(super) mod now {
        use super::*;
        #[derive(Event, Serialize, Deserialize, JsonSchema)]
        #[event(name = "order.placed")]
        pub(crate) struct OrderPlaced {
            pub(crate) coupon: Option<u32>,
        }
    }
}

/// Each step alone is safe: that is why everything that was released is kept.
#[test]
fn removed_name_returns() {
    use coupons::{before, between, now};
    let step = |report: &Report| assert!(!report.is_breaking(), "{report}");
    step(&gate::compare(&code::<between::OrderPlaced>(), &released::<before::OrderPlaced>()));
    step(&gate::compare(&code::<now::OrderPlaced>(), &released::<between::OrderPlaced>()));
    let mut all = released::<between::OrderPlaced>();
    let first = released::<before::OrderPlaced>().versions.remove(0).current;
    all.versions[0].released.insert(0, first);
    let report = gate::compare(&code::<now::OrderPlaced>(), &all);
    assert!(breaks(&report, "removed-name-returns"), "{report}");
    file("removed_name_returns", &report);
}

/// A schema that somebody has written by hand.
fn by_hand(read: serde_json::Value) -> Snapshot {
    let mut snapshot = released::<OrderPlaced>();
    let version = &mut snapshot.versions[0];
    version.current.write = read.into();
    version.current.read = version.current.write.clone();
    version.released = vec![version.current.clone()];
    snapshot
}

#[test]
fn other_change() {
    let old = by_hand(json!({ "not": { "const": 1 } }));
    let new = by_hand(json!({ "not": { "const": 2 } }));
    let report = gate::compare(&new, &old);
    assert!(report.is_breaking(), "{report}");
    file("other_change", &report);
}

#[test]
fn unhandled() {
    let old = by_hand(json!({ "type": "number", "multipleOf": 0.3 }));
    let new = by_hand(json!({ "type": "number", "multipleOf": 0.1 }));
    let report = gate::compare(&new, &old);
    assert!(breaks(&report, "unhandled"), "{report}");
    file("unhandled", &report);
}
