//! A registry that compiles, with every mistake that a lint finds.

use outbox_runtime::{
    Delivery, Error, Event, Postgres, Registry, RegistryInfo, Tx, consumer, registry,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 2, key = id, upcast(from = PlacedV1))]
pub(crate) struct Placed {
    id: u64,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 1, key = id)]
pub(crate) struct PlacedV1 {
    id: u64,
}

impl From<PlacedV1> for Placed {
    fn from(old: PlacedV1) -> Self {
        Self { id: old.id }
    }
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.moved", version = 2, key = id, no_upcast, retired)]
pub(crate) struct Moved {
    id: u64,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.moved", version = 1, key = id)]
pub(crate) struct MovedV1 {
    id: u64,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.faxed", version = 1, retired)]
pub(crate) struct Faxed {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order_placed", version = 1)]
pub(crate) struct Alike {}

#[consumer(name = "behind")]
pub(crate) async fn behind(placed: Delivery<PlacedV1>) {
    let _ = placed;
}

#[consumer(name = "moved", delivery = tx, timeout = "61s")]
pub(crate) async fn long(moved: Delivery<Moved>, tx: &mut Tx<'_, Postgres>) -> Result<(), Error> {
    let _ = (moved, tx);
    Ok(())
}

#[consumer(name = "fax-it", ordered)]
pub(crate) async fn fax(faxed: Delivery<Faxed>) {
    let _ = faxed;
}

/// A minute for an attempt is the default, and outside the database it may be longer.
#[consumer(name = "fax:it", timeout = "1h", ordered)]
pub(crate) async fn slow(placed: Delivery<Placed>) {
    let _ = placed;
}

registry! {
    pub(crate) struct Mistakes;
    events: [Placed, PlacedV1, Moved, MovedV1, Faxed, Alike],
    consumers: [behind, long, fax, slow],
}

/// The registry as a value.
pub(crate) fn mistakes() -> RegistryInfo {
    Mistakes::registry()
}
