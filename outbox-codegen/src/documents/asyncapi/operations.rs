//! Who sends and who receives.

use std::collections::BTreeSet;

use outbox_runtime::{
    BatchOptions, ConsumerInfo, DelayInfo, DeliveryMode, HandlerInfo, OnDead, RegistryInfo, Start,
};
use serde_json::{Map, Value, json};

use super::{describe, message_key, reference};
use crate::documents::names::{Names, id};

pub(super) fn of(registry: &RegistryInfo) -> Map<String, Value> {
    let mut operations = Map::new();
    let mut names = Names::default();
    for handler in &registry.handlers {
        operations
            .insert(names.take(&format!("emit.{}", handler.name)), emitting(registry, handler));
    }
    for event in without_handler(registry) {
        operations.insert(names.take(&format!("emit.{}", id(event))), by_hand(registry, event));
    }
    for consumer in &registry.consumers {
        let name = names.take(&format!("consume.{}", id(consumer.options.name)));
        operations.insert(name, receiving(registry, consumer));
    }
    operations
}

/// Events that can be emitted and that no handler emits.
fn without_handler(registry: &RegistryInfo) -> BTreeSet<&str> {
    let handled = |name| registry.handlers.iter().any(|handler| handler.event_name == name);
    let events = registry.events.iter().filter(|event| !event.retired && !handled(event.name));
    events.map(|event| event.name).collect()
}

fn emitting(registry: &RegistryInfo, handler: &HandlerInfo) -> Value {
    let (name, version) = (handler.event_name, handler.event_version);
    let emitted =
        registry.events.iter().filter(|event| event.name == name && event.version == version);
    let mut operation = operation("send", name, emitted.map(|event| event.version));
    operation["title"] = json!(handler.name);
    operation["x-outbox-handler"] = json!({ "name": handler.name, "commits": handler.commits });
    describe(&mut operation, handler.declared.docs);
    operation
}

fn by_hand(registry: &RegistryInfo, name: &str) -> Value {
    let versions = registry.events.iter().filter(|event| event.name == name && !event.retired);
    let mut operation = operation("send", name, versions.map(|event| event.version));
    operation["title"] = json!(name);
    operation["summary"] = json!(format!("`{name}` is emitted by the application."));
    operation
}

fn receiving(registry: &RegistryInfo, consumer: &ConsumerInfo) -> Value {
    let name = consumer.event_name;
    let known = registry
        .events
        .iter()
        .filter(|event| event.name == name && event.version <= consumer.event_version);
    let mut operation = operation("receive", name, known.map(|event| event.version));
    operation["title"] = json!(consumer.options.name);
    operation["x-outbox-consumer"] = options(consumer);
    describe(&mut operation, consumer.declared.docs);
    operation
}

fn operation(action: &str, event: &str, versions: impl IntoIterator<Item = u32>) -> Value {
    let channel = format!("#/channels/{}", id(event));
    let messages: Vec<Value> = versions
        .into_iter()
        .map(|version| reference(format!("{channel}/messages/{}", message_key(version))))
        .collect();
    json!({ "action": action, "channel": reference(channel), "messages": messages })
}

/// How a consumer is run, in the words of `#[consumer(...)]`.
fn options(consumer: &ConsumerInfo) -> Value {
    let given = &consumer.options;
    let mut options = json!({
        "name": given.name,
        "version": consumer.event_version,
        "delivery": match given.mode {
            DeliveryMode::AtLeastOnce => "at_least_once",
            DeliveryMode::Tx => "tx",
        },
        "ordered": given.ordered,
        "concurrency": given.concurrency,
        "shards": given.shards,
        "timeoutMs": given.timeout.as_millis(),
        "retry": { "max": given.retry.max_attempts(), "custom": given.retry.is_custom() },
        "start": match given.start {
            Start::Now => "now".to_owned(),
            Start::Beginning => "beginning".to_owned(),
            Start::At(time) => time.to_rfc3339(),
        },
        "onDead": match given.on_dead {
            OnDead::Hold => "hold",
            OnDead::Continue => "continue",
        },
        "audit": given.audit,
        "when": consumer.when,
    });
    if let Some((min, max)) = given.retry.backoff_range() {
        options["retry"]["backoffMs"] = json!([min.as_millis(), max.as_millis()]);
    }
    if let Some(BatchOptions { max, wait }) = given.batch {
        options["batch"] = json!({ "max": max, "waitMs": wait.as_millis() });
    }
    match consumer.delay {
        DelayInfo::None => {}
        DelayInfo::Always(delay) => options["delayMs"] = json!(delay.as_millis()),
        DelayInfo::ByEvent => options["delayMs"] = json!("by event"),
    }
    options
}
