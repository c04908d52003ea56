//! What reacts to the events: outside and inside the database, many at a time, later, in order.

use std::sync::Arc;

use anyhow::Context as _;
use outbox_runtime::{
    Batch, ConsumerError, Context, Delivery, Outbox, Outcome, State, Tx, consumer,
};

use crate::database::Db;
use crate::events::{OrderCancelled, OrderPaid, StockShort};
use crate::orders::{PlaceOrderEvent, find, set_state};
use crate::shop::{Mailer, Payments, Shop};

/// Outside: at least once, tried again with backoff. The provider gets the same key every time.
#[consumer(
    name = "payments.charge",
    start = beginning,
    retry(max = 8, backoff = "1s..5m"),
    timeout = "20s",
    concurrency = 8
)]
pub async fn charge(
    placed: Delivery<PlaceOrderEvent>,
    State(payments): State<Arc<dyn Payments>>,
    State(outbox): State<Outbox<Shop, Db>>,
) -> anyhow::Result<Outcome> {
    let order = &placed.output;
    let card: Option<String> = sqlx::query_scalar("select card from payment where order_id = $1")
        .bind(order.id.to_string())
        .fetch_optional(outbox.pool())
        .await?;
    let card = card.context("an order has a card")?;
    payments.charge(&placed.idempotency_key(), &card, order.total).await?;

    let mut tx = outbox.begin().await?;
    let now = find(&mut tx, order.id).await.map_err(told)?;
    if now.state != "placed" {
        return Ok(Outcome::skip(format!("the order is {}", now.state)));
    }
    set_state(&mut tx, order.id, "paid").await.map_err(told)?;
    outbox.emit(&mut tx, OrderPaid { order_id: order.id, total: order.total }).await?;
    tx.commit().await?;
    Ok(().into())
}

/// In the database: exactly once, in the transaction that records its progress.
#[consumer(name = "stock.reserve", start = beginning, delivery = tx, ordered)]
pub async fn reserve(
    placed: Delivery<PlaceOrderEvent>,
    tx: &mut Tx<'_, Db>,
    context: Context,
) -> anyhow::Result<()> {
    let order = &placed.output;
    let left: i64 = sqlx::query_scalar(
        "update product set in_stock = in_stock - $2 where sku = $1 returning in_stock",
    )
    .bind(&order.sku)
    .bind(i64::from(order.quantity))
    .fetch_one(&mut **tx)
    .await?;
    if left < 0 {
        context.emit(tx, StockShort { sku: order.sku.clone(), missing: -left }).await?;
    }
    Ok(())
}

/// A mail cannot be taken back: the receipt waits a little, so that nobody gets one for what was
/// cancelled at once.
#[consumer(name = "mail.receipt", start = beginning, delay = "1m", retry(max = 5), audit)]
pub async fn receipt(
    paid: Delivery<OrderPaid>,
    State(mailer): State<Arc<dyn Mailer>>,
) -> anyhow::Result<String> {
    mailer.receipt(paid.order_id, paid.total).await?;
    Ok(format!("sent for {} cents", paid.total))
}

/// Many at a time.
#[consumer(name = "sales.report", start = beginning, batch(max = 500, wait = "1s"))]
pub async fn report(paid: Batch<OrderPaid>) {
    let total: i64 = paid.iter().map(|paid| paid.total).sum();
    tracing::info!(orders = paid.len(), total, "sold");
}

/// Later: an order that nobody could charge for an hour is cancelled. It works in the database, and what
/// it emits is there if its progress is.
#[consumer(name = "orders.expire", start = beginning, delay = "1h", delivery = tx)]
pub async fn expire(
    placed: Delivery<PlaceOrderEvent>,
    tx: &mut Tx<'_, Db>,
    context: Context,
) -> anyhow::Result<()> {
    let order = find(tx, placed.output.id).await.map_err(told)?;
    if order.state == "placed" {
        set_state(tx, order.id, "cancelled").await.map_err(told)?;
        context.emit(tx, OrderCancelled { order_id: order.id, paid: 0 }).await?;
    }
    Ok(())
}

/// In order, and only what there is to pay back. What cannot be paid back by then is for people to look at.
#[consumer(
    name = "payments.refund",
    start = beginning,
    ordered,
    when = |cancelled| cancelled.paid > 0,
    retry(max = 20, backoff = "10s..1h")
)]
pub async fn refund(
    cancelled: Delivery<OrderCancelled>,
    State(payments): State<Arc<dyn Payments>>,
) -> Result<(), ConsumerError> {
    payments.refund(&cancelled.idempotency_key(), cancelled.paid).await?;
    Ok(())
}

fn told(error: crate::error::ApiError) -> anyhow::Error {
    match error {
        crate::error::ApiError::Refused(_, message) => anyhow::anyhow!(message),
        crate::error::ApiError::Failed(error) => error,
    }
}
