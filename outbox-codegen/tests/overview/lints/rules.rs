//! What the lints of a registry find.

use outbox_codegen::lints::{self, Severity};

use super::mistakes::mistakes;
use crate::{large::large, names::hostile, shop};

/// The messages of a lint.
fn found(id: &str) -> Vec<String> {
    let found = lints::check(&mistakes()).into_iter();
    found.filter(|lint| lint.id == id).map(|lint| lint.message).collect()
}

#[test]
fn every_lint_finds_something_and_says_where() {
    let registry = mistakes();
    let lints = lints::check(&registry);
    for id in lints::ids() {
        assert!(lints.iter().any(|lint| lint.id == id), "{id} finds nothing");
    }
    for lint in lints {
        let place = lint.place.clone().expect("a place").to_string();
        let events = registry.events.iter().map(|event| event.declared.to_string());
        let consumers = registry.consumers.iter().map(|consumer| consumer.declared.to_string());
        assert!(events.chain(consumers).any(|declared| declared == place), "{lint}");
    }
}

#[test]
fn a_registry_without_mistakes_has_no_lints_but_the_event_that_nothing_consumes() {
    let lints = lints::check(&shop::shop());
    let messages: Vec<_> = lints.iter().map(|lint| (lint.id, lint.message.as_str())).collect();
    let expected = [
        (
            "ordered-without-key",
            "consumer `mail.parcel` is `ordered`, and event `parcel:moved` has no key: its events \
             have no order",
        ),
        ("unconsumed-event", "nothing consumes event `rpc/orders.cancel`"),
    ];
    assert_eq!(messages, expected);
}

#[test]
fn a_consumer_of_an_older_version_is_an_error() {
    let message = "consumer `behind` takes version 1 of event `order.placed`: events of version 2 wait \
                   for ever";
    assert_eq!(found("consumer-behind"), [message]);
    let lints = lints::check(&mistakes());
    let errors: Vec<_> = lints.iter().filter(|lint| lint.severity == Severity::Error).collect();
    assert_eq!(errors.len(), 1);
    let shown = errors[0].to_string();
    let line = mistakes().consumers[0].declared.line;
    assert_eq!(
        shown,
        format!(
            "error[consumer-behind]: {message}\n  --> outbox-codegen/tests/overview/lints/mistakes.rs:\
             {line}\n  help: take `Placed`; older events are upcast to it before the consumer sees them\n"
        )
    );
}

#[test]
fn an_event_whose_newest_version_is_retired_is_found_in_part_and_in_whole() {
    let messages = [
        "every version of event `order.faxed` is retired: nothing can emit it",
        "version 2 of event `order.moved` is the newest and retired, so version 1 is what is emitted",
    ];
    assert_eq!(found("retired-newest"), messages);
    let message = "consumer `fax-it` takes event `order.faxed`, which nothing can emit: every version \
                   is retired";
    assert_eq!(found("consumer-of-ended-event"), [message]);
}

#[test]
fn a_long_timeout_matters_in_a_transaction_only() {
    let message = "consumer `moved` may hold its transaction open for 61s an event, with every lock in \
                   it";
    assert_eq!(found("long-transaction"), [message]);
}

#[test]
fn order_needs_a_key_unless_the_event_does_not_say() {
    let message = "consumer `fax-it` is `ordered`, and event `order.faxed` has no key: its events have \
                   no order";
    assert_eq!(found("ordered-without-key"), [message]);
    let mut by_hand = mistakes();
    let unknown = outbox_runtime::Declaration::UNKNOWN;
    by_hand.events.iter_mut().for_each(|event| event.declared = unknown);
    let lints = lints::check(&by_hand);
    assert!(lints.iter().all(|lint| lint.id != "ordered-without-key"));
}

#[test]
fn names_that_look_alike_are_found() {
    let messages = [
        "event `order_placed` is easily taken for event `order.placed`",
        "consumer `fax:it` is easily taken for consumer `fax-it`",
    ];
    assert_eq!(found("similar-names"), messages);
    let mut upper = shop::small();
    upper.events.push(upper.events[0].clone());
    upper.events[1].name = "Stripe:Invoice.Paid";
    assert!(lints::check(&upper).iter().any(|lint| lint.id == "similar-names"));
}

#[test]
fn an_event_that_nothing_consumes_is_found() {
    assert_eq!(found("unconsumed-event"), ["nothing consumes event `order_placed`"]);
}

#[test]
fn any_registry_can_be_looked_at() {
    assert!(!lints::check(&large()).is_empty());
    assert!(!lints::check(&hostile()).is_empty());
}
