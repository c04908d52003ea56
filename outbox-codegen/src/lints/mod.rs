//! What the compiler accepts and people did not mean.
//!
//! ```
//! use outbox_codegen::lints;
//! use outbox_runtime::{Event, Registry, registry};
//! # use schemars::JsonSchema;
//! # use serde::{Deserialize, Serialize};
//!
//! #[derive(Event, Serialize, Deserialize, JsonSchema)]
//! #[event(name = "order.placed", version = 1)]
//! struct OrderPlaced { total: i64 }
//!
//! registry! {
//!     struct Shop;
//!     events: [OrderPlaced],
//! }
//!
//! let found = lints::check(&Shop::registry());
//! assert_eq!(found[0].id, "unconsumed-event");
//! assert_eq!(found[0].message, "nothing consumes event `order.placed`");
//! ```
//!
//! # Of a registry
//!
//! [`check`] looks at the registry alone:
//!
//! | id | severity | finds |
//! | --- | --- | --- |
//! | `consumer-behind` | error | a consumer that takes an older version than the newest: the newer events wait for ever |
//! | `consumer-of-ended-event` | warning | a consumer of an event that nothing can emit, since every version is retired |
//! | `long-transaction` | warning | a consumer that works in the database and may hold its transaction open for more than a minute |
//! | `ordered-without-key` | warning | an ordered consumer of an event that has no key, and so no order |
//! | `retired-newest` | warning | an event whose newest version is retired |
//! | `similar-names` | warning | names that differ only in case or in their separators |
//! | `unconsumed-event` | warning | an event that nothing consumes |
//!
//! # Of sources
//!
//! [`unlisted`] also reads a crate's sources, since what was never listed is in no registry:
//!
//! | id | severity | finds |
//! | --- | --- | --- |
//! | `unlisted-event` | warning | a `#[derive(Event)]` that the registry does not list |
//! | `unlisted-handler` | warning | an `#[emits]` that the registry does not list |
//! | `unlisted-consumer` | warning | a `#[consumer]` that the registry does not list |
//! | `unreadable-source` | error | a source file that is no Rust, in which nothing can be found |
//!
//! # What cannot be known
//!
//! A registry knows which event a handler emits, and not what other code does: consumers and plain
//! functions call `emit`. So an event without a handler is no mistake, and a cycle (a consumer that emits
//! what leads back to itself) cannot be seen; neither is a lint. That nothing *can* emit an event is
//! known, and is one.
//!
//! A timeout above the worker's lease is no mistake either: a worker renews its leases beside its
//! handlers, three times in the length of a lease, however long they run. What a long timeout does harm
//! to is a transaction that stays open for as long, so that is what is looked for. A handler that runs
//! longer than `Worker::shutdown_timeout` is ended by a deployment and comes again; the registry does not
//! know that setting.

mod place;
mod rules;
mod sources;

use std::fmt;

use outbox_runtime::RegistryInfo;

pub use place::Place;
pub use sources::unlisted;

/// Something that is probably not meant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lint {
    /// Which lint it is: a row of the [table](self).
    pub id: &'static str,
    /// Whether it can be meant at all.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Where; none for what was implemented by hand and does not say.
    pub place: Option<Place>,
    /// What to do.
    pub help: String,
}

/// Whether what a lint finds can be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It can.
    Warning,
    /// It cannot: something will not work.
    Error,
}

/// What is wrong with a registry, in the order of the [table](self) and then of the registry.
#[must_use]
pub fn check(registry: &RegistryInfo) -> Vec<Lint> {
    let found = rules::ALL.iter().map(|rule| {
        (rule.find)(registry).into_iter().map(|Finding { message, place, help }| Lint {
            id: rule.id,
            severity: rule.severity,
            message,
            place,
            help,
        })
    });
    found.flatten().collect()
}

/// The ids of all lints of [`check`], in the order of the [table](self).
pub fn ids() -> impl Iterator<Item = &'static str> {
    rules::ALL.iter().map(|rule| rule.id)
}

/// A lint of a registry.
struct Rule {
    id: &'static str,
    severity: Severity,
    find: fn(&RegistryInfo) -> Vec<Finding>,
}

/// What a rule found.
struct Finding {
    message: String,
    place: Option<Place>,
    help: String,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// As compilers write it: the severity, the id and what is wrong, then where, then what to do.
impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, severity, message, place, help } = self;
        writeln!(f, "{severity}[{id}]: {message}")?;
        if let Some(place) = place {
            writeln!(f, "  --> {place}")?;
        }
        writeln!(f, "  help: {help}")
    }
}
