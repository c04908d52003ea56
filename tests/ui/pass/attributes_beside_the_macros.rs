//! Other attributes and doc comments stay where they are, before and after ours.

#![deny(warnings)]

use outbox_runtime::{ConsumerDef, Delivery, Event, Registry, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A documented event.
///
/// Of several paragraphs.
#[doc(alias = "purchase")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed")]
#[non_exhaustive]
#[event(key = id, version = 1)]
pub struct OrderPlaced {
    /// A documented field.
    #[doc(alias = "number")]
    pub id: u64,
}

/** A consumer with a block comment. */
#[tracing::instrument(skip_all)]
#[consumer(name = "traced")]
async fn traced(order: Delivery<OrderPlaced>) -> Result<(), std::io::Error> {
    drop(order);
    Ok(())
}

#[consumer(name = "traced.after")]
#[tracing::instrument(skip_all, ret)]
#[allow(clippy::unused_async)]
async fn traced_after(order: Delivery<OrderPlaced>) -> Result<(), std::io::Error> {
    drop(order);
    Ok(())
}

#[must_use = "a note"]
#[consumer(name = "must-use")]
#[inline]
#[doc = include_str!("attributes_beside_the_macros.rs")]
async fn must_use(_: Delivery<OrderPlaced>) -> String {
    String::new()
}

#[deprecated(note = "use `traced`")]
#[consumer(name = "deprecated")]
async fn old(_: Delivery<OrderPlaced>) {}

registry! {
    /// A documented registry.
    #[doc(alias = "store")]
    struct Shop;
    events: [OrderPlaced],
    consumers: [traced, traced_after, must_use, old],
}

fn main() {
    assert_eq!(OrderPlaced { id: 7 }.clone().key().as_deref(), Some("7"));
    assert_eq!(must_use::OPTIONS.name, "must-use");
    assert_eq!(Shop::registry().consumers.len(), 4);
}
