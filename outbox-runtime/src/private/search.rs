//! Looking for events and consumers in a registry and in what it includes, in const evaluation.

use super::listing::{EventEntry, Listing};
use super::message::same;
use crate::declaration::Declaration;

/// Where something is listed, and where it was declared.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub(super) registry: &'static Listing,
    pub(super) declared: Declaration,
}

/// Two things of the same name that come through two includes.
#[derive(Clone, Copy)]
pub(super) struct Clash {
    pub(super) name: &'static str,
    /// Of events.
    pub(super) version: u32,
    pub(super) first: Found,
    pub(super) second: Found,
}

/// Whether both say where they were declared, and say the same.
pub(super) const fn is_same(a: &Declaration, b: &Declaration) -> bool {
    !a.file.is_empty() && a.line == b.line && same(a.file, b.file) && same(a.module, b.module)
}

/// One thing that comes through two includes: declared in one place; or, where that is unknown,
/// listed by one registry.
const fn is_one(a: &Found, b: &Found) -> bool {
    let (at, bt) = (a.registry, b.registry);
    is_same(&a.declared, &b.declared)
        || (is_same(&at.declared, &bt.declared) && same(at.name, bt.name))
}

/// The event at `index` among those in `events`, followed by those that handlers generate. None
/// for a handler that generates none, and after the last.
pub(super) const fn own_event(
    listing: &'static Listing,
    index: usize,
) -> Option<&'static EventEntry> {
    if index < listing.events.len() {
        return Some(&listing.events[index]);
    }
    let index = index - listing.events.len();
    if index < listing.handlers.len() && listing.handlers[index].generates {
        return Some(&listing.handlers[index].event);
    }
    None
}

const fn own_events(listing: &Listing) -> usize {
    listing.events.len() + listing.handlers.len()
}

/// Whether the macro understood every entry of the registry and of its includes.
pub(super) const fn is_complete(listing: &Listing) -> bool {
    let mut include = 0;
    while include < listing.includes.len() {
        if !is_complete(listing.includes[include]) {
            return false;
        }
        include += 1;
    }
    listing.complete
}

/// The event of this name and version.
pub(super) const fn find_event(
    listing: &'static Listing,
    name: &str,
    version: u32,
) -> Option<Found> {
    let mut index = 0;
    while index < own_events(listing) {
        if let Some(event) = own_event(listing, index)
            && event.version == version
            && same(event.name, name)
        {
            return Some(Found { registry: listing, declared: event.declared });
        }
        index += 1;
    }
    let mut include = 0;
    while include < listing.includes.len() {
        let found = find_event(listing.includes[include], name, version);
        if found.is_some() {
            return found;
        }
        include += 1;
    }
    None
}

/// The version of an event of this name.
pub(super) const fn find_version(listing: &'static Listing, name: &str) -> Option<u32> {
    let mut index = 0;
    while index < own_events(listing) {
        if let Some(event) = own_event(listing, index)
            && same(event.name, name)
        {
            return Some(event.version);
        }
        index += 1;
    }
    let mut include = 0;
    while include < listing.includes.len() {
        let found = find_version(listing.includes[include], name);
        if found.is_some() {
            return found;
        }
        include += 1;
    }
    None
}

/// The consumer of this name.
pub(super) const fn find_consumer(listing: &'static Listing, name: &str) -> Option<Found> {
    let mut index = 0;
    while index < listing.consumers.len() {
        let consumer = &listing.consumers[index];
        if same(consumer.name, name) {
            return Some(Found { registry: listing, declared: consumer.declared });
        }
        index += 1;
    }
    let mut include = 0;
    while include < listing.includes.len() {
        let found = find_consumer(listing.includes[include], name);
        if found.is_some() {
            return found;
        }
        include += 1;
    }
    None
}

/// An event of `tree` that is another one than the event of its name and version in one of the
/// first `until` includes of the registry.
pub(super) const fn clashing_event(
    registry: &'static Listing,
    until: usize,
    tree: &'static Listing,
) -> Option<Clash> {
    let mut index = 0;
    while index < own_events(tree) {
        if let Some(event) = own_event(tree, index)
            && !event.name.is_empty()
        {
            let second = Found { registry: tree, declared: event.declared };
            let mut include = 0;
            while include < until {
                let first = find_event(registry.includes[include], event.name, event.version);
                if let Some(first) = first
                    && !is_one(&first, &second)
                {
                    return Some(Clash { name: event.name, version: event.version, first, second });
                }
                include += 1;
            }
        }
        index += 1;
    }
    let mut include = 0;
    while include < tree.includes.len() {
        let clash = clashing_event(registry, until, tree.includes[include]);
        if clash.is_some() {
            return clash;
        }
        include += 1;
    }
    None
}

/// A consumer of `tree` that is another one than the consumer of its name in one of the first
/// `until` includes of the registry.
pub(super) const fn clashing_consumer(
    registry: &'static Listing,
    until: usize,
    tree: &'static Listing,
) -> Option<Clash> {
    let mut index = 0;
    while index < tree.consumers.len() {
        let consumer = &tree.consumers[index];
        let second = Found { registry: tree, declared: consumer.declared };
        let mut include = 0;
        while include < until && !consumer.name.is_empty() {
            let first = find_consumer(registry.includes[include], consumer.name);
            if let Some(first) = first
                && !is_one(&first, &second)
            {
                return Some(Clash { name: consumer.name, version: 0, first, second });
            }
            include += 1;
        }
        index += 1;
    }
    let mut include = 0;
    while include < tree.includes.len() {
        let clash = clashing_consumer(registry, until, tree.includes[include]);
        if clash.is_some() {
            return clash;
        }
        include += 1;
    }
    None
}
