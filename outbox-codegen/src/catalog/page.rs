//! The page of an event.

use outbox_runtime::{ConsumerInfo, EventInfo, HandlerInfo, KeyInfo};

use super::fields::{self, Fields};
use super::markdown::{code, codes, first_line, quoted, table, text};
use super::options;
use super::paths::{INDEX, source};
use crate::lineage::{Lineage, type_name};

/// The anchors of parts of a page, as forges make them from the headings.
pub(super) const EMITTED_BY: &str = "emitted-by";
pub(super) const CONSUMERS: &str = "consumers";

pub(super) const OTHER_CODE: &str = "code that calls `emit`";

pub(super) fn page(lineage: &Lineage<'_>) -> String {
    let mut page = format!("# {}\n\n[All events](../{INDEX})\n\n", text(lineage.name));
    match lineage.newest() {
        Some(newest) => page.push_str(&about(lineage, newest)),
        None => page.push_str("No registry lists this event.\n\n"),
    }
    page.push_str(&emitters(lineage));
    page.push_str(&consumers(&lineage.consumers));
    page.extend(lineage.versions.iter().map(|event| version(lineage, event)));
    page.truncate(page.trim_end().len());
    page + "\n"
}

fn about(lineage: &Lineage<'_>, newest: &EventInfo) -> String {
    let mut about = quoted(newest.declared.docs);
    about.push_str(&format!("- Key: {}\n", key(newest)));
    let versions: Vec<String> = lineage
        .versions
        .iter()
        .map(|event| {
            let retired = if event.retired { ", retired" } else { "" };
            format!("[{0}](#version-{0}){retired}", event.version)
        })
        .collect();
    about.push_str(&format!("- Versions: {}\n", versions.join("; ")));
    if !newest.registry.is_empty() {
        about.push_str(&format!("- Registry: {}\n", code(newest.registry)));
    }
    about + "\n"
}

/// What an event's key is made from.
pub(super) fn key(event: &EventInfo) -> String {
    match event.key {
        Some(KeyInfo::Property(property)) => code(property),
        Some(KeyInfo::Expression(expression)) => code(expression),
        None => "none".to_owned(),
    }
}

fn emitters(lineage: &Lineage<'_>) -> String {
    let rows: Vec<[String; 5]> = lineage.handlers.iter().map(|handler| emitter(handler)).collect();
    let handlers = table(["Handler", "Version", "Transaction", "Source", "About"], &rows);
    let said = match (rows.is_empty(), lineage.emittable()) {
        (true, None) if lineage.versions.is_empty() => "No handler of the registry.\n\n".to_owned(),
        (false, None) if lineage.versions.is_empty() => handlers,
        (_, None) => "Nothing any more: every version is retired.\n\n".to_owned(),
        (true, Some(_)) => format!("No handler of the registry: {OTHER_CODE}.\n\n"),
        (false, Some(_)) => {
            format!("{handlers}Perhaps also {OTHER_CODE}: a registry knows handlers only.\n\n")
        }
    };
    format!("## Emitted by\n\n{said}")
}

fn emitter(handler: &HandlerInfo) -> [String; 5] {
    [
        code(handler.name),
        handler.event_version.to_string(),
        options::transaction(handler),
        source(&handler.declared).map(|file| code(&file)).unwrap_or_default(),
        first_line(handler.declared.docs),
    ]
}

fn consumers(consumers: &[&ConsumerInfo]) -> String {
    if consumers.is_empty() {
        return "## Consumers\n\nNone.\n\n".to_owned();
    }
    let mut part = "## Consumers\n\n".to_owned();
    for consumer in consumers {
        let source = source(&consumer.declared).map(|file| format!(", in {}", code(&file)));
        part.push_str(&format!(
            "### Consumer {}\n\n{}Takes version {}{}.\n\n{}",
            text(consumer.options.name),
            quoted(consumer.declared.docs),
            consumer.event_version,
            source.unwrap_or_default(),
            table(["Option", "Says"], &options::all(consumer))
        ));
    }
    part
}

fn version(lineage: &Lineage<'_>, event: &EventInfo) -> String {
    let mut part = format!("## Version {}\n\n", event.version);
    if event.retired {
        part.push_str("Retired: it can be read, and not emitted.\n\n");
    }
    part.push_str(&format!("- Type: {}", code(type_name(event))));
    if let Some(file) = source(&event.declared) {
        part.push_str(&format!(", in {}", code(&file)));
    }
    part.push_str(&format!("\n- Older payloads: {}\n", older(lineage, event)));
    if !event.reserved.is_empty() {
        let reserved = codes(event.reserved.iter().copied(), "and");
        part.push_str(&format!("- Reserved, and never to come back: {reserved}\n"));
    }
    for alias in event.aliases {
        let of =
            [alias.variant, alias.property].into_iter().flatten().collect::<Vec<_>>().join(".");
        let names = codes(alias.names.iter().copied(), "or");
        part.push_str(&format!("- Reads {names} as {}\n", code(&of)));
    }
    if let Some(other) = event.other {
        part.push_str(&format!("- Reads a variant that it does not know as {}\n", code(other)));
    }
    if let Some(payload) = fields::payload(event) {
        part.push_str(&format!("- Payload: {payload}\n"));
    }
    part.push('\n');
    let tables = fields::tables(event);
    if tables.is_empty() {
        part.push_str("No fields.\n\n");
    }
    part.extend(tables.iter().map(fields_of));
    if tables.iter().flat_map(|table| &table.rows).any(|row| row[2] == "when written") {
        part.push_str(
            "*When written*: what this version writes has the field; what it reads may lack it.\n\n",
        );
    }
    part
}

/// What becomes of payloads of the version before.
fn older(lineage: &Lineage<'_>, event: &EventInfo) -> String {
    let is_listed = |before: u32| lineage.versions.iter().any(|event| event.version == before);
    match event.upcast_from {
        Some(before) if !is_listed(before) => {
            format!("read as version {before}, which is not listed, and converted")
        }
        Some(before) => format!("read as [version {before}](#version-{before}) and converted"),
        None if event.no_upcast => "cannot be read as this version".to_owned(),
        None if event.version == 1 => "there are none".to_owned(),
        None => "the type does not say".to_owned(),
    }
}

fn fields_of(fields: &Fields) -> String {
    let rows = table(["Field", "Type", "Required", "Description"], &fields.rows);
    match &fields.variant {
        None => rows,
        Some((name, about)) if about.is_empty() => format!("Variant {name}\n\n{rows}"),
        Some((name, about)) => format!("Variant {name}: {about}\n\n{rows}"),
    }
}
