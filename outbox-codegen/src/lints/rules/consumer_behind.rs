//! A consumer that takes an older version than the newest. A worker puts events of versions that a
//! consumer does not know aside, for a worker that knows them; if the registry lists them, none comes.

use outbox_runtime::RegistryInfo;

use crate::lineage::{lineages, type_name};
use crate::lints::{Finding, Place, Rule, Severity};

pub(super) const RULE: Rule = Rule { id: "consumer-behind", severity: Severity::Error, find };

fn find(registry: &RegistryInfo) -> Vec<Finding> {
    let mut found = Vec::new();
    for lineage in lineages(registry) {
        let Some(newest) = lineage.newest() else { continue };
        for consumer in &lineage.consumers {
            if consumer.event_version < newest.version {
                let (name, taken) = (consumer.options.name, consumer.event_version);
                found.push(Finding {
                    message: format!(
                        "consumer `{name}` takes version {taken} of event `{}`: events of version {} \
                         wait for ever",
                        lineage.name, newest.version
                    ),
                    place: Place::of(&consumer.declared),
                    help: format!(
                        "take `{}`; older events are upcast to it before the consumer sees them",
                        type_name(newest)
                    ),
                });
            }
        }
    }
    found
}
