//! A consumer that works in the database and may take longer for one event than the default. Its
//! transaction is open meanwhile: its row locks hold up others, on SQLite all that write; when its machine
//! is gone, Postgres keeps those locks for as long as the timeout says, from the consumer's next worker
//! too.

use std::time::Duration;

use outbox_runtime::{DeliveryMode, RegistryInfo};

use crate::duration::short;
use crate::lints::{Finding, Place, Rule, Severity};

pub(super) const RULE: Rule = Rule { id: "long-transaction", severity: Severity::Warning, find };

/// The timeout of a consumer that says nothing.
const LONGEST: Duration = Duration::from_secs(60);

fn find(registry: &RegistryInfo) -> Vec<Finding> {
    let consumers = registry.consumers.iter();
    let long = consumers.filter(|consumer| {
        consumer.options.mode == DeliveryMode::Tx && consumer.options.timeout > LONGEST
    });
    long.map(|consumer| Finding {
        message: format!(
            "consumer `{}` may hold its transaction open for {} an event, with every lock in it",
            consumer.options.name,
            short(consumer.options.timeout)
        ),
        place: Place::of(&consumer.declared),
        help: format!(
            "do what takes long in a consumer without `delivery = tx`, which emits the result; or write \
             a `timeout` of at most {}",
            short(LONGEST)
        ),
    })
    .collect()
}
