//! Pages for people, in Markdown: an index of a registry's events, consumers and handlers, and a page
//! for each event.
//!
//! ```
//! use std::path::Path;
//! use outbox_codegen::catalog;
//! use outbox_runtime::{Event, Registry, registry};
//! # use schemars::JsonSchema;
//! # use serde::{Deserialize, Serialize};
//!
//! /// An order was placed.
//! #[derive(Event, Serialize, Deserialize, JsonSchema)]
//! #[event(name = "order.placed", version = 1)]
//! struct OrderPlaced { total: i64 }
//!
//! registry! {
//!     struct Shop;
//!     events: [OrderPlaced],
//! }
//!
//! let files = catalog::files(&Shop::registry());
//! let index = &files[Path::new("README.md")];
//! assert!(index.contains("[`order.placed`](events/order.placed.md) | 1 |"));
//! let page = &files[Path::new("events/order.placed.md")];
//! assert!(page.contains("| `total` | whole number (64 bits) | yes |"));
//! ```
//!
//! # Where it goes
//!
//! The index is `README.md`, which is what forges show of a folder. An event's page is
//! `events/<name>.md`, where `/` is written `+`, `:` is written `~`, and whatever no event's name that
//! the macros accept has is written in hexadecimal: two events never share a file, on no file system.
//!
//! # What is in it
//!
//! An event's documentation is shown as the Markdown that it is, as a quotation, so that no heading or
//! tag in it reaches the rest of the page. Everything else is escaped: a name or a description cannot
//! break a table.
//!
//! Sources are named by file and item, without the line: the pages are meant to be committed, and would
//! otherwise be stale after most changes to a file. A source outside the workspace is named by its path
//! in its package.
//!
//! A registry knows the handlers that emit an event, and not the code that calls `emit`.

mod fields;
mod index;
mod markdown;
mod options;
mod page;
mod parts;
mod paths;
mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;

use outbox_runtime::RegistryInfo;

use crate::lineage::lineages;

/// The pages of a registry, by path, with their contents.
#[must_use]
pub fn files(registry: &RegistryInfo) -> BTreeMap<PathBuf, String> {
    let lineages = lineages(registry);
    let pages = lineages.iter().map(|lineage| {
        let path = PathBuf::from(paths::EVENTS).join(paths::file(lineage.name));
        (path, page::page(lineage))
    });
    let index = (PathBuf::from(paths::INDEX), index::index(registry, &lineages));
    pages.chain([index]).collect()
}
