//! The events of a registry by name: what is one page, one node, one subject of a lint.

use std::collections::BTreeMap;

use outbox_runtime::{ConsumerInfo, EventInfo, HandlerInfo, RegistryInfo};

/// All versions of an event, with what emits and what consumes it.
pub(crate) struct Lineage<'a> {
    pub(crate) name: &'a str,
    /// The newest first. None where something of the registry names an event that it does not list.
    pub(crate) versions: Vec<&'a EventInfo>,
    pub(crate) handlers: Vec<&'a HandlerInfo>,
    pub(crate) consumers: Vec<&'a ConsumerInfo>,
}

impl<'a> Lineage<'a> {
    /// The newest version.
    pub(crate) fn newest(&self) -> Option<&'a EventInfo> {
        self.versions.first().copied()
    }

    /// The newest version that can be emitted.
    pub(crate) fn emittable(&self) -> Option<&'a EventInfo> {
        self.versions.iter().copied().find(|event| !event.retired)
    }
}

/// The events that a registry lists or names, in the order of their names.
pub(crate) fn lineages(registry: &RegistryInfo) -> Vec<Lineage<'_>> {
    let mut found = BTreeMap::<&str, Lineage<'_>>::new();
    for event in &registry.events {
        of(&mut found, event.name).versions.push(event);
    }
    for handler in &registry.handlers {
        of(&mut found, handler.event_name).handlers.push(handler);
    }
    for consumer in &registry.consumers {
        of(&mut found, consumer.event_name).consumers.push(consumer);
    }
    let mut lineages: Vec<_> = found.into_values().collect();
    for lineage in &mut lineages {
        lineage.versions.sort_by_key(|event| std::cmp::Reverse(event.version));
    }
    lineages
}

fn of<'a, 'b>(found: &'b mut BTreeMap<&'a str, Lineage<'a>>, name: &'a str) -> &'b mut Lineage<'a> {
    found.entry(name).or_insert_with(|| Lineage {
        name,
        versions: Vec::new(),
        handlers: Vec::new(),
        consumers: Vec::new(),
    })
}

/// The name of an event's type, without its modules.
pub(crate) fn type_name(event: &EventInfo) -> &'static str {
    event.rust_type.rsplit("::").next().unwrap_or_default()
}
