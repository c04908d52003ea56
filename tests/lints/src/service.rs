//! A service whose events and consumers are private, and used by its registry only.

use outbox_runtime::{consumer, registry, Batch, Delivery, Event, Outbox, Tx};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = id)]
struct OrderPlaced {
    id: u64,
}

#[consumer(name = "email.receipt")]
async fn receipt(order: Delivery<OrderPlaced>) -> String {
    std::future::ready(order.id()).await;
    String::new()
}

#[consumer(name = "analytics", batch(max = 3))]
async fn track(orders: Batch<OrderPlaced>) {
    std::future::ready(orders.len()).await;
}

#[consumer(name = "stock.reserve", delivery = tx)]
async fn reserve(order: OrderPlaced, tx: &mut Tx<'_, sqlx::Postgres>) {
    std::future::ready((order.id, tx.savepoint().await.is_ok())).await;
}

registry! {
    /// What the service emits and consumes.
    pub struct Orders;
    events: [OrderPlaced],
    consumers: [receipt, track, reserve],
}

/// Emits, as a service does.
///
/// # Errors
///
/// Those of the database.
pub async fn place(outbox: &Outbox<Orders, sqlx::Postgres>, id: u64) -> outbox_runtime::Result<()> {
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, OrderPlaced { id }).await?;
    outbox.emit_all(&mut tx, [OrderPlaced { id }]).await?;
    tx.commit().await
}
