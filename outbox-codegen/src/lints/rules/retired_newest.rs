//! An event whose newest version is retired.

use outbox_runtime::RegistryInfo;

use crate::lineage::lineages;
use crate::lints::{Finding, Place, Rule, Severity};

pub(super) const RULE: Rule = Rule { id: "retired-newest", severity: Severity::Warning, find };

fn find(registry: &RegistryInfo) -> Vec<Finding> {
    let mut found = Vec::new();
    for lineage in lineages(registry) {
        let Some(newest) = lineage.newest().filter(|newest| newest.retired) else { continue };
        let (name, version) = (lineage.name, newest.version);
        let (message, help) = match lineage.emittable() {
            Some(older) => (
                format!(
                    "version {version} of event `{name}` is the newest and retired, so version {} is \
                     what is emitted",
                    older.version
                ),
                format!("retire version {} instead", older.version),
            ),
            None => (
                format!("every version of event `{name}` is retired: nothing can emit it"),
                "remove `retired` from the newest version; or, if the event has ended, remove it once \
                 the log has none of them"
                    .to_owned(),
            ),
        };
        found.push(Finding { message, place: Place::of(&newest.declared), help });
    }
    found
}
