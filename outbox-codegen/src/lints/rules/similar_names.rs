//! Names that differ only in case or in their separators: somebody will take one for the other.

use std::collections::BTreeMap;

use outbox_runtime::{Declaration, RegistryInfo};

use crate::lints::{Finding, Place, Rule, Severity};

pub(super) const RULE: Rule = Rule { id: "similar-names", severity: Severity::Warning, find };

fn find(registry: &RegistryInfo) -> Vec<Finding> {
    let events = registry.events.iter().map(|event| (event.name, event.declared));
    let consumers = registry.consumers.iter();
    let consumers = consumers.map(|consumer| (consumer.options.name, consumer.declared));
    let mut found = similar("event", events);
    found.extend(similar("consumer", consumers));
    found
}

fn similar(what: &str, names: impl Iterator<Item = (&'static str, Declaration)>) -> Vec<Finding> {
    let mut first = BTreeMap::<String, &str>::new();
    let mut reported = Vec::new();
    let mut found = Vec::new();
    for (name, declared) in names {
        let other = *first.entry(folded(name)).or_insert(name);
        if other != name && !reported.contains(&name) {
            reported.push(name);
            found.push(Finding {
                message: format!("{what} `{name}` is easily taken for {what} `{other}`"),
                place: Place::of(&declared),
                help: "names are permanent: choose another one before anything is stored under it"
                    .to_owned(),
            });
        }
    }
    found
}

/// The name without what people do not see.
fn folded(name: &str) -> String {
    name.to_lowercase().replace([':', '/', '_', '-'], ".")
}
