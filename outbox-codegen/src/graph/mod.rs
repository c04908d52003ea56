//! Who emits what and who consumes it, as a picture: handlers, then events, then consumers.
//!
//! ```
//! use outbox_codegen::graph;
//! use outbox_runtime::{Delivery, Event, Registry, consumer, registry};
//! # use schemars::JsonSchema;
//! # use serde::{Deserialize, Serialize};
//!
//! #[derive(Event, Serialize, Deserialize, JsonSchema)]
//! #[event(name = "order.placed", version = 1)]
//! struct OrderPlaced { total: i64 }
//!
//! #[consumer(name = "mail.receipt")]
//! async fn receipt(order: Delivery<OrderPlaced>) {}
//!
//! registry! {
//!     struct Shop;
//!     events: [OrderPlaced],
//!     consumers: [receipt],
//! }
//!
//! let graph = graph::of(&Shop::registry());
//! assert_eq!((graph.nodes.len(), graph.edges.len()), (2, 1));
//! assert!(graph::mermaid(&graph).starts_with("flowchart LR\n"));
//! assert!(graph::dot(&graph).starts_with("digraph \"Shop\" {\n"));
//! assert!(graph::svg(&graph).starts_with("<svg "));
//! ```
//!
//! # What is drawn
//!
//! An event is one node whatever its versions are: a consumer receives older versions as the one that
//! it takes. The node names the newest version. An event of which every version is retired is dimmed;
//! so is one that something names and the registry does not list.
//!
//! A registry knows the handlers that emit, and not the code that calls `emit`, so an event may have no
//! edge that leads to it. Nothing is drawn in its place: a node for "other code" would join events that
//! have nothing to do with one another. For the same reason nothing leads from a consumer to the events
//! that it emits.
//!
//! Where a registry includes others, each of them is a frame around what it lists.
//!
//! The same registry always gives the same text.

mod build;
mod dot;
mod mermaid;
mod svg;

pub use build::of;
pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::svg;

/// Handlers, events and consumers, and what leads from one to another.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Graph {
    /// The registry's name.
    pub name: String,
    /// The registries that list something, in the order of the drawing; each of the nodes names one
    /// of them. Frames are drawn if there is more than one.
    pub registries: Vec<String>,
    /// The nodes, of each kind in the order of the registry.
    pub nodes: Vec<Node>,
    /// The edges, each from a handler to an event or from an event to a consumer.
    pub edges: Vec<Edge>,
}

/// A handler, an event or a consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// What else there is to know, in few words: an event's version, how a consumer is run.
    pub detail: String,
    /// What a reader sees on pointing at it, and hears instead of it.
    pub title: String,
    /// The registry that lists it, as an index of [`Graph::registries`].
    pub registry: usize,
    /// Whether it is retired, or not listed.
    pub dimmed: bool,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A function whose success is an event.
    Handler,
    /// An event, of any version.
    Event,
    /// A function that receives the events of one name.
    Consumer,
}

/// That events come from one node to another, each an index of [`Graph::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edge {
    /// A handler or an event.
    pub from: usize,
    /// An event or a consumer.
    pub to: usize,
}

impl Graph {
    /// Whether registries are framed.
    fn has_frames(&self) -> bool {
        self.registries.len() > 1
    }

    /// The nodes that a registry lists, with their indices.
    fn listed_by(&self, registry: usize) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes.iter().enumerate().filter(move |(_, node)| node.registry == registry)
    }
}
