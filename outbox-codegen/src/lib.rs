//! What is generated from an Outbox registry, and what is held against it.
//!
//! | module | holds |
//! | --- | --- |
//! | [`schemas`] | the JSON Schemas of all events as committed files, and the lock that says what was released |
//! | [`gate`] | whether the code can live with what was released |
//! | [`rules`] | the kinds of changes that the gate names, and what to do about each |
//! | [`compat`] | whether readers of one JSON Schema can read what another one describes |
//! | [`documents`] | AsyncAPI, TypeScript, EventBridge, CloudEvents |
//! | [`catalog`] | pages about every event, in Markdown |
//! | [`graph`] | handlers, events and consumers as a picture |
//! | [`migrations`] | migration files for the database |
//! | [`lints`] | what compiles, and is probably not meant |
//! | [`command`] | the command `outbox` |
//!
//! A user's crate has the command as a binary of five lines, with its own types:
//!
//! ```no_run
//! # mod shop {
//! #     use outbox_runtime::{Event, registry};
//! #     #[derive(Event, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
//! #     #[event(name = "order.placed")]
//! #     pub struct OrderPlaced {}
//! #     registry! { pub struct Shop; events: [OrderPlaced] }
//! # }
//! // src/bin/outbox.rs
//! fn main() -> std::process::ExitCode {
//!     outbox_codegen::main::<shop::Shop>()
//! }
//! ```
//!
//! And a test that the committed schemas are those of the code: [`assert_up_to_date`].

pub mod catalog;
mod changes;
pub mod command;
pub mod compat;
pub mod documents;
mod duration;
pub mod gate;
pub mod graph;
mod lineage;
pub mod lints;
pub mod migrations;
mod parallel;
mod reference;
pub mod rules;
pub mod schemas;
mod summary;

use std::path::Path;

use outbox_runtime::Registry;

pub use command::main;

/// Asserts, in a test, that the schemas committed in the nearest folder `schemas` are those of the code:
/// what `outbox schemas check` does.
///
/// # Panics
///
/// When they are not, with the differences; and when they cannot be read.
///
/// ```no_run
/// # mod shop {
/// #     use outbox_runtime::{Event, registry};
/// #     #[derive(Event, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
/// #     #[event(name = "order.placed")]
/// #     pub struct OrderPlaced {}
/// #     registry! { pub struct Shop; events: [OrderPlaced] }
/// # }
/// # use shop::Shop;
/// #[test]
/// fn schemas_are_committed() {
///     outbox_codegen::assert_up_to_date::<Shop>();
/// }
/// ```
pub fn assert_up_to_date<R: Registry>() {
    assert_up_to_date_in::<R>(command::nearest());
}

/// As [`assert_up_to_date`], of the schemas in this folder.
///
/// # Panics
///
/// As [`assert_up_to_date`].
pub fn assert_up_to_date_in<R: Registry>(folder: impl AsRef<Path>) {
    let folder = folder.as_ref();
    let code = schemas::Snapshot::of(&R::registry());
    let differences = match schemas::check(&code, folder) {
        Ok(differences) => differences,
        Err(error) => panic!("{error}"),
    };
    let shown: Vec<String> = differences.iter().map(ToString::to_string).collect();
    assert!(
        differences.is_empty(),
        "the schemas in {} are not those of the code (`outbox schemas generate` writes them):\n{}",
        folder.display(),
        shown.join("\n"),
    );
}

#[doc = include_str!("../docs/evolution.md")]
pub mod evolution {}

#[doc = include_str!("../docs/migrations.md")]
pub mod migration_files {}

#[doc = include_str!("../docs/operations.md")]
pub mod operating {}
