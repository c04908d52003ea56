use super::*;
use crate::declaration::Declaration;
use crate::handler::HandlerInfo;
use crate::private::UnknownEvent;
use crate::private::listing::{ConsumerEntry, HandlerEntry};
use crate::registry::{ConsumerInfo, EventInfo};

fn panics(check: impl FnOnce() + std::panic::UnwindSafe) -> Option<String> {
    let panic = std::panic::catch_unwind(check).err()?;
    let message = panic.downcast_ref::<String>().cloned();
    message.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
}

const fn at(line: u32) -> Declaration {
    match line {
        0 => Declaration::UNKNOWN,
        line => Declaration::new("shop", "shop.rs", line, ""),
    }
}

const fn event(name: &'static str, version: u32, line: u32) -> EventEntry {
    EventEntry {
        name,
        version,
        retired: false,
        declared: at(line),
        ident: "Event",
        info: EventInfo::of::<UnknownEvent>,
    }
}

const fn consumer(name: &'static str, event: EventEntry, line: u32) -> ConsumerEntry {
    fn info(_: &EventEntry) -> ConsumerInfo {
        unreachable!("no check asks for it")
    }
    ConsumerEntry { name, event, declared: at(line), info }
}

const fn handler(event: EventEntry, generates: bool) -> HandlerEntry {
    fn info(_: &EventEntry) -> HandlerInfo {
        unreachable!("no check asks for it")
    }
    HandlerEntry { name: "place", event, generates, info }
}

const PLACED: EventEntry = event("order.placed", 1, 7);
const RECEIPT: ConsumerEntry = consumer("receipt", PLACED, 8);

const COMMON: Listing =
    Listing { name: "Common", events: &[PLACED], consumers: &[RECEIPT], ..Listing::EMPTY };
const BILLING: Listing = Listing { name: "Billing", includes: &[&COMMON], ..Listing::EMPTY };
/// Lists the same things as `Common`, and is another registry.
const MIRROR: Listing = Listing { name: "Mirror", ..COMMON };
const RIVAL: Listing =
    Listing { name: "Rival", events: &[event("order.placed", 1, 70)], ..Listing::EMPTY };
const RIVAL_CONSUMER: Listing = Listing {
    name: "Rival",
    consumers: &[consumer("receipt", event("", 1, 0), 80)],
    ..Listing::EMPTY
};

#[test]
fn upcasts_go_from_version_to_version() {
    assert_eq!(panics(|| check_upcast("a", 12, event("a", 11, 0))), None);
    let gap = panics(|| check_upcast("a", 12, event("a", 10, 0))).expect("a gap");
    assert!(gap.contains("version 12 is upcast from version 10: convert from version 11"), "{gap}");
    let other = panics(|| check_upcast("a", 2, event("b", 1, 0))).expect("another event");
    assert!(other.contains("another event, `b`"), "{other}");
}

#[test]
fn what_is_already_reported_is_not_reported_again() {
    const UNNAMED: EventEntry = event("", 1, 0);
    const SHOP: Listing = Listing {
        events: &[UNNAMED, UNNAMED],
        handlers: &[handler(UNNAMED, true), handler(UNNAMED, false)],
        consumers: &[consumer("", UNNAMED, 0), consumer("", UNNAMED, 0)],
        ..Listing::EMPTY
    };
    const TOP: Listing = Listing { includes: &[&SHOP, &SHOP], ..SHOP };
    for index in [0, 1] {
        assert_eq!(panics(move || check_event(&TOP, index)), None);
        assert_eq!(panics(move || check_handler(&TOP, index)), None);
        assert_eq!(panics(move || check_consumer(&TOP, index)), None);
        assert_eq!(panics(move || check_include(&TOP, index)), None);
    }
    assert_eq!(panics(|| check_upcast("a", 2, event("", 1, 0))), None);
}

#[test]
fn an_event_listed_beside_its_handler_is_reported_at_the_handler() {
    const SHOP: Listing = Listing {
        name: "Shop",
        events: &[PLACED],
        handlers: &[handler(PLACED, true)],
        ..Listing::EMPTY
    };
    let twice = panics(|| check_handler(&SHOP, 0)).expect("listed twice");
    assert!(twice.contains("lists `order.placed` already: remove it from `events`"), "{twice}");
}

#[test]
fn two_types_of_one_macro_are_two_events() {
    const ANOTHER: EventEntry = EventEntry { ident: "Another", ..PLACED };
    const SHOP: Listing = Listing { events: &[PLACED, ANOTHER], ..Listing::EMPTY };
    assert!(panics(|| check_event(&SHOP, 1)).expect("two").contains("is twice in registry"));
    // One type listed twice is the compiler's to report.
    const TWICE: Listing = Listing { events: &[PLACED, PLACED], ..Listing::EMPTY };
    assert_eq!(panics(|| check_event(&TWICE, 1)), None);
}

#[test]
fn what_comes_twice_from_one_declaration_is_one() {
    const SHOP: Listing = Listing { includes: &[&BILLING, &COMMON, &MIRROR], ..Listing::EMPTY };
    for index in 0..3 {
        assert_eq!(panics(move || check_include(&SHOP, index)), None);
    }
}

#[test]
fn what_does_not_say_where_it_was_declared_is_one_if_one_registry_lists_it() {
    const COMMON: Listing = Listing {
        name: "Common",
        declared: at(1),
        events: &[event("order.placed", 1, 0)],
        ..Listing::EMPTY
    };
    const BILLING: Listing = Listing { name: "Billing", includes: &[&COMMON], ..Listing::EMPTY };
    const OTHER: Listing = Listing { declared: at(2), ..COMMON };
    const SHOP: Listing = Listing { includes: &[&BILLING, &COMMON, &OTHER], ..Listing::EMPTY };
    assert_eq!(panics(|| check_include(&SHOP, 1)), None);
    assert!(panics(|| check_include(&SHOP, 2)).is_some());
}

#[test]
fn two_includes_with_different_things_of_one_name_are_named() {
    const SHOP: Listing =
        Listing { name: "Shop", includes: &[&BILLING, &RIVAL, &RIVAL_CONSUMER], ..Listing::EMPTY };
    assert_eq!(panics(|| check_include(&SHOP, 0)), None);
    let events = panics(|| check_include(&SHOP, 1)).expect("two events");
    assert!(events.contains("`order.placed` version 1 comes into registry `Shop` twice"));
    assert!(events.contains("from `Common` (shop.rs:7) and from `Rival` (shop.rs:70)"), "{events}");
    let consumers = panics(|| check_include(&SHOP, 2)).expect("two consumers");
    assert!(consumers.contains("from `Common` (shop.rs:8) and from `Rival` (shop.rs:80)"));
}

#[test]
fn own_things_that_an_include_has_are_reported() {
    const SHOP: Listing = Listing {
        name: "Shop",
        events: &[PLACED, event("order.placed", 1, 70)],
        handlers: &[handler(event("order.placed", 1, 71), true)],
        consumers: &[RECEIPT, consumer("receipt", PLACED, 80)],
        includes: &[&BILLING],
        ..Listing::EMPTY
    };
    let same = panics(|| check_event(&SHOP, 0)).expect("listed twice");
    assert!(same.contains("is in include `Billing` too: list it in one of them"), "{same}");
    let same = panics(|| check_consumer(&SHOP, 0)).expect("listed twice");
    assert!(same.contains("is in include `Billing` too, and runs through that"), "{same}");
    const OTHERS: Listing =
        Listing { events: &[event("order.placed", 1, 70)], handlers: &[], consumers: &[], ..SHOP };
    let other = panics(|| check_event(&OTHERS, 0)).expect("another event");
    assert!(other.contains("is in include `Billing` too (shop.rs:7): give"), "{other}");
    const MADE: Listing = Listing { events: &[], consumers: &[], ..SHOP };
    assert!(panics(|| check_handler(&MADE, 0)).expect("made").contains("include `Billing`"));
}

#[test]
fn what_is_used_is_listed_somewhere() {
    const USED: Listing = Listing {
        name: "Shop",
        handlers: &[handler(PLACED, false), handler(event("order.placed", 2, 0), false)],
        consumers: &[consumer("mail", PLACED, 0), consumer("log", event("made", 1, 0), 0)],
        ..Listing::EMPTY
    };
    const WITH_ALL: Listing = Listing {
        includes: &[&BILLING],
        handlers: &[handler(PLACED, false), handler(event("made", 1, 0), true)],
        ..USED
    };
    assert_eq!(panics(|| check_handler(&WITH_ALL, 0)), None);
    assert_eq!(panics(|| check_consumer(&WITH_ALL, 0)), None);
    assert_eq!(panics(|| check_consumer(&WITH_ALL, 1)), None);

    let absent = panics(|| check_handler(&USED, 0)).expect("absent");
    assert!(
        absent.starts_with("handler `place` emits `order.placed`, which is absent"),
        "{absent}"
    );
    let absent = panics(|| check_consumer(&USED, 1)).expect("absent");
    assert!(absent.ends_with("absent from `events` of registry `Shop`"), "{absent}");
    const OLDER: Listing = Listing { events: &[PLACED], ..USED };
    let absent = panics(|| check_handler(&OLDER, 1)).expect("another version");
    assert!(absent.contains("`order.placed` version 2, which is absent"), "{absent}");
    assert!(absent.ends_with("it has version 1"), "{absent}");
}

#[test]
fn nothing_is_absent_where_an_entry_was_not_understood() {
    const BROKEN: Listing = Listing { complete: false, ..Listing::EMPTY };
    const SHOP: Listing = Listing {
        handlers: &[handler(PLACED, false)],
        consumers: &[RECEIPT],
        includes: &[&BROKEN],
        ..Listing::EMPTY
    };
    assert_eq!(panics(|| check_handler(&SHOP, 0)), None);
    assert_eq!(panics(|| check_consumer(&SHOP, 0)), None);
}
