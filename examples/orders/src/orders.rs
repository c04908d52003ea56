//! The handlers of requests. Each has one transaction: the row and the event are there both, or
//! neither is.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use outbox_runtime::{OutboxTx, Tx, emits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use uuid::Uuid;

use crate::database::Db;
use crate::error::ApiError;
use crate::events::{OrderCancelled, OrderShipped};
use crate::shop::AppState;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlaceOrder {
    /// Who buys.
    pub customer: String,
    /// What.
    pub sku: String,
    /// How many.
    pub quantity: u32,
    /// What pays for it. Kept out of the event by `skip(input.card)`.
    pub card: String,
}

/// An order as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Order {
    /// Which one.
    pub id: Uuid,
    /// What.
    pub sku: String,
    /// How many.
    pub quantity: u32,
    /// In cents.
    pub total: i64,
    /// `placed`, `paid`, `cancelled` or `shipped`.
    pub state: String,
}

/// Takes an order.
///
/// The attribute makes the event from what came in and what goes out, `PlaceOrderEvent`, and emits it in
/// `tx` when the function succeeds; then it commits, and then the client gets its answer.
#[emits(
    name = "orders.place",
    version = 1,
    key = output.id,
    input(order),
    skip(input.card),
    derive(Clone, Debug, PartialEq)
)]
pub async fn place_order(
    State(shop): State<AppState>,
    mut tx: OutboxTx<Db>,
    Json(order): Json<PlaceOrder>,
) -> Result<(StatusCode, Json<Order>), ApiError> {
    if order.quantity == 0 {
        return Err(ApiError::Refused(StatusCode::BAD_REQUEST, "how many?".to_owned()));
    }
    let price: Option<i64> = sqlx::query_scalar("select price from product where sku = $1")
        .bind(&order.sku)
        .fetch_optional(&mut *tx)
        .await?;
    let price = price.ok_or_else(|| ApiError::not_found(format!("product {}", order.sku)))?;
    let id = Uuid::now_v7();
    let total = price * i64::from(order.quantity);
    sqlx::query(
        "insert into orders (id, customer, sku, quantity, total, state)
         values ($1, $2, $3, $4, $5, 'placed')",
    )
    .bind(id.to_string())
    .bind(&order.customer)
    .bind(&order.sku)
    .bind(i64::from(order.quantity))
    .bind(total)
    .execute(&mut *tx)
    .await?;
    sqlx::query("insert into payment (order_id, card) values ($1, $2)")
        .bind(id.to_string())
        .bind(&order.card)
        .execute(&mut *tx)
        .await?;
    shop.policy.check(&order).await?;
    let PlaceOrder { sku, quantity, .. } = order;
    let order = Order { id, sku, quantity, total, state: "placed".to_owned() };
    Ok((StatusCode::CREATED, Json(order)))
}

/// Cancels an order that has not left the house. The event is one of our own, made from the answer.
#[emits(
    OrderCancelled,
    input(id),
    with = |id: &Uuid, cancelled: &Cancelled| OrderCancelled { order_id: *id, paid: cancelled.paid }
)]
pub async fn cancel_order(
    mut tx: OutboxTx<Db>,
    Path(id): Path<Uuid>,
) -> Result<Json<Cancelled>, ApiError> {
    let order = find(&mut tx, id).await?;
    let paid = match order.state.as_str() {
        "placed" => 0,
        "paid" => order.total,
        state => return Err(ApiError::conflict(format!("order {id} is {state}"))),
    };
    set_state(&mut tx, id, "cancelled").await?;
    Ok(Json(Cancelled { paid }))
}

/// What is paid back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cancelled {
    /// In cents.
    pub paid: i64,
}

/// Ships every paid order, all in one transaction.
///
/// # Errors
///
/// When the database refuses; then none is shipped.
pub async fn ship_all(State(shop): State<AppState>) -> Result<Json<Vec<Uuid>>, ApiError> {
    let mut tx = shop.outbox.begin().await?;
    let paid: Vec<String> =
        sqlx::query_scalar("select id from orders where state = 'paid' order by id")
            .fetch_all(&mut *tx)
            .await?;
    let mut shipped = Vec::new();
    for id in paid.iter().filter_map(|id| id.parse().ok()) {
        ship(&mut tx, id).await?;
        shipped.push(id);
    }
    tx.commit().await?;
    Ok(Json(shipped))
}

/// Ships one order in the caller's transaction: the event is emitted when it succeeds, and the caller
/// commits.
#[emits(OrderShipped, with = |id: &Uuid| OrderShipped { order_id: *id })]
pub async fn ship(tx: &mut Tx<'_, Db>, id: Uuid) -> Result<(), ApiError> {
    set_state(tx, id, "shipped").await
}

/// Shows an order.
///
/// # Errors
///
/// When there is none, or the database cannot be asked.
pub async fn show_order(
    State(shop): State<AppState>,
    Path(id): Path<Uuid>,
) -> Result<Json<Order>, ApiError> {
    let mut connection = shop.outbox.pool().acquire().await?;
    find(&mut connection, id).await.map(Json)
}

/// Looks an order up.
pub(crate) async fn find(
    connection: &mut <Db as sqlx::Database>::Connection,
    id: Uuid,
) -> Result<Order, ApiError> {
    let row = sqlx::query("select sku, quantity, total, state from orders where id = $1")
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?
        .ok_or_else(|| ApiError::not_found(format!("order {id}")))?;
    let quantity: i64 = row.try_get(1)?;
    Ok(Order {
        id,
        sku: row.try_get(0)?,
        quantity: u32::try_from(quantity).unwrap_or(u32::MAX),
        total: row.try_get(2)?,
        state: row.try_get(3)?,
    })
}

/// Says how an order stands.
pub(crate) async fn set_state(
    connection: &mut <Db as sqlx::Database>::Connection,
    id: Uuid,
    state: &str,
) -> Result<(), ApiError> {
    sqlx::query("update orders set state = $2 where id = $1")
        .bind(id.to_string())
        .bind(state)
        .execute(connection)
        .await?;
    Ok(())
}
