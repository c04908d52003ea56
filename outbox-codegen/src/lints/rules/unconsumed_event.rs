//! An event that nothing consumes.

use outbox_runtime::RegistryInfo;

use crate::lineage::lineages;
use crate::lints::{Finding, Place, Rule, Severity};

pub(super) const RULE: Rule = Rule { id: "unconsumed-event", severity: Severity::Warning, find };

fn find(registry: &RegistryInfo) -> Vec<Finding> {
    let mut found = Vec::new();
    for lineage in lineages(registry) {
        if let (Some(event), true) = (lineage.emittable(), lineage.consumers.is_empty()) {
            found.push(Finding {
                message: format!("nothing consumes event `{}`", lineage.name),
                place: Place::of(&event.declared),
                help: "list a consumer of it, or stop emitting it; ignore this if others read it from \
                       the log"
                    .to_owned(),
            });
        }
    }
    found
}
