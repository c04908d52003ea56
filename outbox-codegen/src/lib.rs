//! What is generated from an Outbox registry. So far: the JSON Schemas of its events, as files that
//! are committed and checked in CI ([`schemas`]); pages about it in Markdown ([`catalog`]); pictures of
//! it ([`graph`]); what is probably not meant in it ([`lints`]); and the answer to whether readers of one
//! schema can read what another one describes ([`compat`]), also as the command `outbox schemas diff`.
//!
//! ```
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
//! let folder = std::env::temp_dir().join(format!("schemas-{}", std::process::id()));
//! assert_eq!(outbox_codegen::schemas::check(&Shop::registry(), &folder)?.len(), 2);
//! outbox_codegen::schemas::generate(&Shop::registry(), &folder)?;
//! assert_eq!(outbox_codegen::schemas::check(&Shop::registry(), &folder)?, []);
//! # std::fs::remove_dir_all(folder)?;
//! # Ok::<(), std::io::Error>(())
//! ```

pub mod catalog;
pub mod command;
pub mod compat;
mod duration;
pub mod graph;
mod lineage;
pub mod lints;
pub mod schemas;
