//! The graph of a registry.

use std::collections::{BTreeMap, BTreeSet};

use outbox_runtime::{ConsumerInfo, DelayInfo, DeliveryMode, HandlerInfo, RegistryInfo};

use super::{Edge, Graph, Kind, Node};
use crate::duration;
use crate::lineage::{Lineage, lineages};

/// The graph of a registry.
#[must_use]
pub fn of(registry: &RegistryInfo) -> Graph {
    let lineages = in_listed_order(registry);
    let mut build = Build::new(registry, &lineages);
    for handler in &registry.handlers {
        build.handler(handler);
    }
    let events: BTreeMap<&str, usize> =
        lineages.iter().map(|lineage| (lineage.name, build.event(lineage))).collect();
    for (index, handler) in registry.handlers.iter().enumerate() {
        build.graph.edges.push(Edge { from: index, to: events[handler.event_name] });
    }
    for consumer in &registry.consumers {
        let to = build.consumer(consumer);
        build.graph.edges.push(Edge { from: events[consumer.event_name], to });
    }
    build.graph
}

/// The events in the order of the registry; those that it does not list come last.
fn in_listed_order(registry: &RegistryInfo) -> Vec<Lineage<'_>> {
    let mut lineages = lineages(registry);
    lineages.sort_by_key(|lineage| {
        let place = registry.events.iter().position(|event| event.name == lineage.name);
        place.unwrap_or(usize::MAX)
    });
    lineages
}

struct Build<'a> {
    graph: Graph,
    newest: BTreeMap<&'a str, u32>,
    own: &'a str,
}

impl<'a> Build<'a> {
    fn new(registry: &'a RegistryInfo, lineages: &[Lineage<'a>]) -> Self {
        let newest = |lineage: &Lineage<'a>| Some((lineage.name, lineage.newest()?.version));
        let graph = Graph {
            name: registry.name.to_owned(),
            registries: registries(registry, lineages),
            nodes: Vec::new(),
            edges: Vec::new(),
        };
        Self { graph, newest: lineages.iter().filter_map(newest).collect(), own: registry.name }
    }

    fn handler(&mut self, handler: &HandlerInfo) {
        let detail = self.version("emits", handler.event_name, handler.event_version);
        let title = format!("handler {}, emits {}", handler.name, handler.event_name);
        self.node(Kind::Handler, handler.name, detail.unwrap_or_default(), title, handler.registry);
    }

    fn event(&mut self, lineage: &Lineage<'_>) -> usize {
        let registry = listing(lineage);
        let (detail, dimmed) = match lineage.newest() {
            None => ("not listed".to_owned(), true),
            Some(newest) if lineage.emittable().is_none() => {
                (format!("v{}, retired", newest.version), true)
            }
            Some(newest) => (format!("v{}", newest.version), false),
        };
        let title = format!("event {}, {detail}", lineage.name);
        let index = self.node(Kind::Event, lineage.name, detail, title, registry);
        self.graph.nodes[index].dimmed = dimmed;
        index
    }

    fn consumer(&mut self, consumer: &ConsumerInfo) -> usize {
        let taken = self.version("takes", consumer.event_name, consumer.event_version);
        let detail: Vec<String> = taken.into_iter().chain(traits(consumer)).collect();
        let name = consumer.options.name;
        let mut title = format!("consumer {name}, takes {}", consumer.event_name);
        if !detail.is_empty() {
            title.push_str(&format!(" ({})", detail.join(", ")));
        }
        self.node(Kind::Consumer, name, detail.join(" · "), title, consumer.registry)
    }

    /// `takes v1`, where that is not the newest version.
    fn version(&self, verb: &str, event: &str, version: u32) -> Option<String> {
        let newest = self.newest.get(event)?;
        (version != *newest).then(|| format!("{verb} v{version}"))
    }

    fn node(
        &mut self,
        kind: Kind,
        name: &str,
        detail: String,
        title: String,
        listed_by: &str,
    ) -> usize {
        let listed_by = if listed_by.is_empty() { self.own } else { listed_by };
        let registry = self.graph.registries.iter().position(|name| name == listed_by);
        let registry = registry.unwrap_or_default();
        let name = name.to_owned();
        self.graph.nodes.push(Node { kind, name, detail, title, registry, dimmed: false });
        self.graph.nodes.len() - 1
    }
}

/// The registry that lists the newest version of an event; of an event that none lists, the one of
/// what names it.
fn listing<'a>(lineage: &Lineage<'a>) -> &'a str {
    let named = || {
        let handlers = lineage.handlers.iter().map(|handler| handler.registry);
        handlers.chain(lineage.consumers.iter().map(|consumer| consumer.registry)).next()
    };
    lineage.newest().map(|event| event.registry).or_else(named).unwrap_or_default()
}

/// The registries that list something: its own first, the others in the order of their names.
fn registries(registry: &RegistryInfo, lineages: &[Lineage<'_>]) -> Vec<String> {
    let events = lineages.iter().map(listing);
    let handlers = registry.handlers.iter().map(|handler| handler.registry);
    let consumers = registry.consumers.iter().map(|consumer| consumer.registry);
    let listing: BTreeSet<&str> = events
        .chain(handlers)
        .chain(consumers)
        .map(|name| if name.is_empty() { registry.name } else { name })
        .collect();
    let own = listing.contains(registry.name).then_some(registry.name);
    let others = listing.iter().copied().filter(|name| *name != registry.name);
    own.into_iter().chain(others).map(str::to_owned).collect()
}

/// What sets a consumer apart from one that says nothing but its name.
fn traits(consumer: &ConsumerInfo) -> Vec<String> {
    let options = &consumer.options;
    let delay = match consumer.delay {
        DelayInfo::None => None,
        DelayInfo::Always(delay) => Some(format!("after {}", duration::short(delay))),
        DelayInfo::ByEvent => Some("delayed".to_owned()),
    };
    let words = [
        (options.mode == DeliveryMode::Tx).then(|| "exactly once".to_owned()),
        options.ordered.then(|| "ordered".to_owned()),
        options.batch.map(|batch| format!("batches of {}", batch.max)),
        delay,
        consumer.when.then(|| "some only".to_owned()),
    ];
    words.into_iter().flatten().collect()
}
