//! The checks of registries and of upcasts, which run while the user's crate compiles.
//!
//! Each is called for one entry, and `track_caller` makes the compiler show its message there
//! rather than in here. An empty name belongs to something that a macro has already reported.

use super::listing::{EventEntry, Listing};
use super::message::{Message, same};
use super::search::{
    Clash, clashing_consumer, clashing_event, find_consumer, find_event, find_version, is_complete,
    is_same, own_event,
};

const NEXT_VERSION: &str = "give the newer shape the next version, or another fact another name";
const RENAME: &str = "a name owns a consumer's progress and deliveries; rename one";

/// What the include lists is no other event and no other consumer than what an earlier include
/// lists by the same name.
#[track_caller]
pub const fn check_include(registry: &'static Listing, index: usize) {
    let include = registry.includes[index];
    if let Some(Clash { name, version, first, second }) = clashing_event(registry, index, include) {
        Message::of(&["`", name, "` version "])
            .number(version)
            .texts(&[" comes into registry `", registry.name, "` twice, from `"])
            .texts(&[first.registry.name, "`"])
            .place(&first.declared)
            .texts(&[" and from `", second.registry.name, "`"])
            .place(&second.declared)
            .texts(&[": ", NEXT_VERSION])
            .panic();
    }
    if let Some(Clash { name, first, second, .. }) = clashing_consumer(registry, index, include) {
        Message::of(&["two consumers with the name `", name, "` come into registry `"])
            .texts(&[registry.name, "`, from `", first.registry.name, "`"])
            .place(&first.declared)
            .texts(&[" and from `", second.registry.name, "`"])
            .place(&second.declared)
            .texts(&[": ", RENAME])
            .panic();
    }
}

/// No earlier event has the name and version of this one, and no include lists it.
#[track_caller]
pub const fn check_event(registry: &'static Listing, index: usize) {
    check_own_event(registry, index, &registry.events[index]);
}

/// The event that the handler's attribute made is listed nowhere else; the user's own event that
/// the handler emits is listed.
#[track_caller]
pub const fn check_handler(registry: &'static Listing, index: usize) {
    let handler = &registry.handlers[index];
    let event = &handler.event;
    if handler.generates {
        let mut index_of_event = 0;
        while index_of_event < registry.events.len() {
            if is_one_type(event, &registry.events[index_of_event]) {
                Message::of(&["handler `", handler.name, "` of registry `", registry.name])
                    .texts(&["` lists `", event.name, "` already: remove it from `events`"])
                    .panic();
            }
            index_of_event += 1;
        }
        check_own_event(registry, registry.events.len() + index, event);
    } else if is_absent(registry, event) {
        absent(registry, event, &["handler `", handler.name, "` emits `", event.name, "`"]).panic();
    }
}

/// (One type that is listed twice through different paths is the compiler's to report: its impls
/// conflict.)
#[track_caller]
const fn check_own_event(registry: &'static Listing, index: usize, event: &EventEntry) {
    if event.name.is_empty() {
        return;
    }
    let mut earlier = 0;
    while earlier < index {
        if let Some(other) = own_event(registry, earlier)
            && same(event.name, other.name)
            && event.version == other.version
            && !is_one_type(event, other)
        {
            Message::of(&["`", event.name, "` version "])
                .number(event.version)
                .texts(&[" is twice in registry `", registry.name, "`: ", NEXT_VERSION])
                .panic();
        }
        earlier += 1;
    }
    let mut include = 0;
    while include < registry.includes.len() {
        let through = registry.includes[include];
        if let Some(found) = find_event(through, event.name, event.version) {
            let message =
                Message::of(&["`", event.name, "` version "]).number(event.version).texts(&[
                    " of registry `",
                    registry.name,
                    "` is in include `",
                    through.name,
                    "` too",
                ]);
            if is_same(&found.declared, &event.declared) {
                message.texts(&[": list it in one of them"]).panic();
            }
            message.place(&found.declared).texts(&[": ", NEXT_VERSION]).panic();
        }
        include += 1;
    }
}

/// No earlier consumer and none of an include has the name of this one, and its event is listed.
#[track_caller]
pub const fn check_consumer(registry: &'static Listing, index: usize) {
    let consumer = &registry.consumers[index];
    if consumer.name.is_empty() {
        return;
    }
    let mut earlier = 0;
    while earlier < index {
        if same(consumer.name, registry.consumers[earlier].name) {
            Message::of(&["two consumers of registry `", registry.name, "` have the name `"])
                .texts(&[consumer.name, "`: ", RENAME])
                .panic();
        }
        earlier += 1;
    }
    let mut include = 0;
    while include < registry.includes.len() {
        let through = registry.includes[include];
        if let Some(found) = find_consumer(through, consumer.name) {
            let message = Message::of(&["consumer `", consumer.name, "` of registry `"]).texts(&[
                registry.name,
                "` is in include `",
                through.name,
                "` too",
            ]);
            if is_same(&found.declared, &consumer.declared) {
                message.texts(&[", and runs through that: list it in one of them"]).panic();
            }
            message.place(&found.declared).texts(&[": ", RENAME]).panic();
        }
        include += 1;
    }
    let event = &consumer.event;
    if is_absent(registry, event) {
        let what = ["consumer `", consumer.name, "` consumes `", event.name, "`"];
        absent(registry, event, &what).panic();
    }
}

const fn is_one_type(a: &EventEntry, b: &EventEntry) -> bool {
    is_same(&a.declared, &b.declared) && same(a.ident, b.ident) && same(a.name, b.name)
}

const fn is_absent(registry: &'static Listing, event: &EventEntry) -> bool {
    !event.name.is_empty()
        && is_complete(registry)
        && find_event(registry, event.name, event.version).is_none()
}

/// What uses the event, and that it is not listed; or that only another version of it is.
const fn absent(registry: &'static Listing, event: &EventEntry, user: &[&str]) -> Message {
    let message = Message::of(user);
    let absent = ", which is absent from `events` of registry `";
    match find_version(registry, event.name) {
        None => message.texts(&[absent, registry.name, "`"]),
        Some(version) => message
            .texts(&[" version "])
            .number(event.version)
            .texts(&[absent, registry.name, "`: it has version "])
            .number(version),
    }
}

/// The event that another one is upcast from is the version before, of the same name.
#[track_caller]
pub const fn check_upcast(name: &str, version: u32, from: EventEntry) {
    if from.name.is_empty() {
        return;
    }
    if !same(name, from.name) {
        Message::of(&["`", name, "` is upcast from another event, `", from.name])
            .texts(&["`: an event is upcast from its own version before"])
            .panic();
    }
    if from.version + 1 != version {
        Message::of(&["`", name, "` version "])
            .number(version)
            .texts(&[" is upcast from version "])
            .number(from.version)
            .texts(&[": convert from version "])
            .number(version - 1)
            .texts(&[", so that the chain has every version"])
            .panic();
    }
}

/// A handler's event can still be emitted.
#[track_caller]
pub const fn check_not_retired(handler: &str, event: EventEntry) {
    if event.retired {
        Message::of(&["`", event.name, "` version "])
            .number(event.version)
            .texts(&[" is retired, so `", handler, "` cannot emit it: emit a newer version"])
            .panic();
    }
}

#[cfg(test)]
mod tests;
