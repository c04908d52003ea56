//! The index: every event, consumer and handler in a table.

use outbox_runtime::RegistryInfo;

use super::markdown::{code, enumerated, first_line, quoted, table, text};
use super::options;
use super::page::{CONSUMERS, EMITTED_BY, OTHER_CODE, key};
use super::paths::{source, to_event, to_part};
use crate::lineage::Lineage;

pub(super) fn index(registry: &RegistryInfo, lineages: &[Lineage<'_>]) -> String {
    let mut page = format!("# {}\n\n{}", text(registry.name), quoted(registry.declared.docs));
    if !registry.includes.is_empty() {
        let includes: Vec<String> = registry.includes.iter().map(|name| code(name)).collect();
        page.push_str(&format!("Includes {}.\n\n", enumerated(&includes, "and")));
    }
    let parts = [
        ("Events", events(lineages)),
        ("Consumers", consumers(registry)),
        ("Handlers", handlers(registry)),
    ];
    for (title, table) in parts {
        let shown = if table.is_empty() { "None.\n\n" } else { &table };
        page.push_str(&format!("## {title}\n\n{shown}"));
    }
    page.truncate(page.trim_end().len());
    page + "\n"
}

fn events(lineages: &[Lineage<'_>]) -> String {
    let rows: Vec<[String; 6]> = lineages
        .iter()
        .map(|lineage| {
            let newest = lineage.newest();
            let version = match newest {
                None => "not listed".to_owned(),
                Some(event) if event.retired => format!("{}, retired", event.version),
                Some(event) => event.version.to_string(),
            };
            let mut emitters: Vec<String> = lineage
                .handlers
                .iter()
                .map(|handler| to_part(lineage.name, EMITTED_BY, handler.name))
                .collect();
            if emitters.is_empty() && lineage.emittable().is_some() {
                emitters.push(OTHER_CODE.to_owned());
            }
            let consumers = lineage.consumers.iter();
            let consumers: Vec<String> = consumers
                .map(|consumer| to_part(lineage.name, CONSUMERS, consumer.options.name))
                .collect();
            [
                to_event(lineage.name),
                version,
                newest.map(key).unwrap_or_default(),
                emitters.join(", "),
                consumers.join(", "),
                newest.map(|event| first_line(event.declared.docs)).unwrap_or_default(),
            ]
        })
        .collect();
    table(["Event", "Version", "Key", "Emitted by", "Consumed by", "About"], &rows)
}

fn consumers(registry: &RegistryInfo) -> String {
    let rows: Vec<[String; 8]> = registry
        .consumers
        .iter()
        .map(|consumer| {
            [
                to_part(consumer.event_name, CONSUMERS, consumer.options.name),
                to_event(consumer.event_name),
                options::delivery(consumer).to_owned(),
                options::order(consumer).to_owned(),
                options::retry(consumer),
                crate::duration::short(consumer.options.timeout),
                options::others(consumer),
                first_line(consumer.declared.docs),
            ]
        })
        .collect();
    table(["Consumer", "Event", "Delivery", "Order", "Retry", "Timeout", "Besides", "About"], &rows)
}

fn handlers(registry: &RegistryInfo) -> String {
    let rows: Vec<[String; 5]> = registry
        .handlers
        .iter()
        .map(|handler| {
            [
                to_part(handler.event_name, EMITTED_BY, handler.name),
                to_event(handler.event_name),
                options::transaction(handler),
                source(&handler.declared).map(|file| code(&file)).unwrap_or_default(),
                first_line(handler.declared.docs),
            ]
        })
        .collect();
    table(["Handler", "Event", "Transaction", "Source", "About"], &rows)
}
