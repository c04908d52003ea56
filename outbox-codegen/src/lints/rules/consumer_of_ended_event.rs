//! A consumer of an event that nothing can emit.

use outbox_runtime::RegistryInfo;

use crate::lineage::lineages;
use crate::lints::{Finding, Place, Rule, Severity};

pub(super) const RULE: Rule =
    Rule { id: "consumer-of-ended-event", severity: Severity::Warning, find };

fn find(registry: &RegistryInfo) -> Vec<Finding> {
    let mut found = Vec::new();
    for lineage in lineages(registry) {
        if lineage.emittable().is_some() || lineage.versions.is_empty() {
            continue;
        }
        found.extend(lineage.consumers.iter().map(|consumer| Finding {
            message: format!(
                "consumer `{}` takes event `{}`, which nothing can emit: every version is retired",
                consumer.options.name, lineage.name
            ),
            place: Place::of(&consumer.declared),
            help: "keep it until it has handled what is in the log, then remove it; or list a version \
                   that is not retired"
                .to_owned(),
        }));
    }
    found
}
