//! Whether what one JSON Schema describes can be read by what expects another one.
//!
//! ```
//! use outbox_codegen::compat::{Direction, diff};
//! use serde_json::json;
//!
//! let old = json!({
//!     "type": "object",
//!     "properties": { "total": { "type": "integer" } },
//!     "required": ["total"],
//! });
//! let new = json!({
//!     "type": "object",
//!     "properties": { "total": { "type": "integer" }, "currency": { "type": "string" } },
//!     "required": ["total", "currency"],
//! });
//!
//! // What is written from now on can be read by what is deployed; but not the other way round.
//! let report = diff(&old, &new, Direction::Full).expect("two schemas");
//! assert!(report.forward.as_ref().expect("asked for").holds());
//! assert_eq!(
//!     report.to_string(),
//!     "forward (the old reads what the new writes): compatible\n\
//!      backward (the new reads what the old wrote): BREAKING\n  \
//!        the value: `currency` may be absent, and the reader requires it\n    \
//!          for example {\"total\":0}\n"
//! );
//! ```
//!
//! # What is compared
//!
//! Each schema stands for a writer and for a reader. A writer writes the properties that its schema
//! declares and no others, unless the schema says something about others. A reader reads whatever its
//! schema accepts, where `format` counts: of integers as the bounds of Rust's types (`int32`,
//! `uint64`), and of texts as what a reader parses (`uuid`, `date-time`, ...).
//!
//! # What the answers mean
//!
//! [`Answer::Holds`] is a proof by structure. [`Answer::Breaks`] comes with values that the writer's
//! schema accepts and the reader's does not, both evaluated keyword by keyword. [`Answer::Unknown`]
//! says what could not be decided, and where; whoever must be sure treats it as a break.
//!
//! Schemas of the drafts 4 to 2020-12 are understood. Patterns are those of the crate `regex`.

mod accepts;
mod arena;
mod check;
mod empty;
mod engine;
mod facts;
mod format;
mod keywords;
mod kinds;
mod number;
mod parts;
mod report;
mod same;
mod sample;
mod shape;
mod store;

pub use accepts::Unhandled;
pub use arena::Unusable;
pub use engine::{Answer, Break, Reason, Step};
pub(crate) use keywords::required;
pub(crate) use report::place;
pub use report::{Direction, Report};
pub(crate) use same::refers_only_to_definitions;

use serde_json::Value;

use engine::Engine;
use store::Store;

/// Whether a document is a schema that can be compared.
///
/// # Errors
///
/// Everything that is wrong with it, or that it refers to and does not contain.
pub fn check(schema: &Value) -> Result<(), Vec<Unusable>> {
    Engine::new(&Store::default()).add(schema).map(drop)
}

/// Whether everything that is written after the one schema can be read after the other.
///
/// # Errors
///
/// What is wrong with a document that is no schema, or that refers to others: the writer's, or else
/// the reader's.
pub fn compare(writer: &Value, reader: &Value) -> Result<Answer, Vec<Unusable>> {
    let store = Store::default();
    let mut engine = Engine::new(&store);
    let writer = engine.add(writer)?;
    let reader = engine.add(reader)?;
    Ok(engine.compare(writer, reader))
}

/// Compares an older with a newer schema, each of them a writer and a reader.
///
/// # Errors
///
/// As [`compare`].
pub fn diff(old: &Value, new: &Value, direction: Direction) -> Result<Report, Vec<Unusable>> {
    let store = Store::default();
    let mut engine = Engine::new(&store);
    let old = engine.add(old)?;
    let new = engine.add(new)?;
    let wants = |one| direction == one || direction == Direction::Full;
    Ok(Report {
        forward: wants(Direction::Forward).then(|| engine.compare(new, old)),
        backward: wants(Direction::Backward).then(|| engine.compare(old, new)),
    })
}
