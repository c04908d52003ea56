//! Documents about the events of a registry, for people and programs that know no Rust: pure functions
//! from a [`RegistryInfo`](outbox_runtime::RegistryInfo) to text.
//!
//! | module | makes |
//! | --- | --- |
//! | [`asyncapi`] | an AsyncAPI 3.0 document |
//! | [`typescript`] | a `.d.ts` file with the types of all events |
//! | [`eventbridge`] | schemas and rules for Amazon EventBridge |
//! | [`cloudevents`] | an event of the log as a CloudEvent |
//! | [`envelope`] | an event of the log as one JSON object |
//!
//! What is described is what each version **writes**: its payload as it lies in the log.
//!
//! ```
//! use outbox_codegen::documents::{asyncapi, typescript};
//! use outbox_runtime::{Event, Registry, registry};
//! # use schemars::JsonSchema;
//! # use serde::{Deserialize, Serialize};
//!
//! /// An order was placed.
//! #[derive(Event, Serialize, Deserialize, JsonSchema)]
//! #[event(name = "order.placed", version = 1)]
//! struct OrderPlaced { total: i32 }
//!
//! registry! {
//!     struct Shop;
//!     events: [OrderPlaced],
//! }
//!
//! let document = asyncapi::document(&Shop::registry(), Some("1.4.0"))?;
//! assert_eq!(document["channels"]["order.placed"]["address"], "order.placed");
//!
//! let types = typescript::declarations(&Shop::registry());
//! assert!(types.contains("export type OrderPlacedV1 = {\n  total: number;\n};"));
//! # Ok::<(), outbox_codegen::documents::Unconvertible>(())
//! ```

pub mod asyncapi;
pub mod cloudevents;
mod dialect;
pub mod envelope;
pub mod eventbridge;
mod names;
mod text;
pub mod typescript;

pub use dialect::Unconvertible;
