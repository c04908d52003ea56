//! An ordered consumer of an event without a key: order is among the events of one key.

use outbox_runtime::{Declaration, RegistryInfo};

use crate::lineage::lineages;
use crate::lints::{Finding, Place, Rule, Severity};

pub(super) const RULE: Rule = Rule { id: "ordered-without-key", severity: Severity::Warning, find };

fn find(registry: &RegistryInfo) -> Vec<Finding> {
    let mut found = Vec::new();
    for lineage in lineages(registry) {
        // An event that is implemented by hand may have a key and not say so.
        let by_hand = |declared: &Declaration| declared.file.is_empty();
        let may_have_key =
            lineage.versions.iter().any(|event| event.key.is_some() || by_hand(&event.declared));
        if lineage.versions.is_empty() || may_have_key {
            continue;
        }
        let ordered = lineage.consumers.iter().filter(|consumer| consumer.options.ordered);
        found.extend(ordered.map(|consumer| {
            Finding {
            message: format!(
                "consumer `{}` is `ordered`, and event `{}` has no key: its events have no order",
                consumer.options.name, lineage.name
            ),
            place: Place::of(&consumer.declared),
            help: "say what the events are ordered by, as in `#[event(key = order_id)]`, or remove \
                   `ordered`; ignore this if everything that emits the event gives it a key"
                .to_owned(),
        }
        }));
    }
    found
}
