//! The lints of a registry, one a file. A test compares the list with the files, and with the table in
//! the documentation.

mod consumer_behind;
mod consumer_of_ended_event;
mod long_transaction;
mod ordered_without_key;
mod retired_newest;
mod similar_names;
mod unconsumed_event;

use super::Rule;

pub(super) const ALL: &[Rule] = &[
    consumer_behind::RULE,
    consumer_of_ended_event::RULE,
    long_transaction::RULE,
    ordered_without_key::RULE,
    retired_newest::RULE,
    similar_names::RULE,
    unconsumed_event::RULE,
];
