//! Every form of handler, of argument and of output.

use std::fmt::Display;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use outbox_runtime::{Backend, Error, Event, OutboxTx, Postgres, Sqlite, Tx, emits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct PlaceOrder {
    sku: String,
    card: String,
    payment: Payment,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Payment {
    iban: Option<String>,
    amount: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Order {
    id: u64,
}

struct ApiError;

impl From<Error> for ApiError {
    fn from(_: Error) -> Self {
        Self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> axum::response::Response {
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

#[emits(
    name = "rpc.orders.place",
    version = 1,
    key = output.id,
    input(order),
    skip(input.card, input.payment.iban),
    derive(Debug, Clone, PartialEq),
)]
async fn place_order(
    mut tx: OutboxTx<Postgres>,
    Json(order): Json<PlaceOrder>,
) -> Result<Json<Order>, ApiError> {
    sqlx::query("select 1").execute(&mut *tx).await.map_err(|_| ApiError)?;
    if order.card.is_empty() {
        return Err(ApiError);
    }
    drop(order);
    Ok(Json(Order { id: 7 }))
}

/// Nothing but its output.
#[emits(name = "out")]
async fn only_output(_tx: OutboxTx<Sqlite>) -> Result<u64, Error> {
    Ok(1)
}

#[emits(name = "nothing")]
async fn nothing(tx: &mut Tx<'_, Sqlite>) -> Result<(), Error> {
    sqlx::query("select 1").execute(&mut **tx).await.ok();
    Ok(())
}

#[emits(name = "several", key = format!("{}/{output}", input.id), input(id, text, many, page, order))]
async fn several(
    tx: &mut Tx<'_, Postgres>,
    Path((id, _)): Path<(u64, String)>,
    text: &str,
    many: &[Order],
    Query(page): Query<u8>,
    order: &Json<Order>,
    State(_state): State<()>,
) -> Result<String, Box<dyn std::error::Error>> {
    let _ = (tx, many, page, order);
    let number: u64 = text.parse()?;
    Ok((number + id).to_string())
}

#[emits(name = "moves", key = input, input(id))]
async fn moves(tx: OutboxTx<Sqlite>, id: String) -> Result<(StatusCode, Json<String>), ApiError> {
    let _ = tx;
    Ok((StatusCode::CREATED, Json(id)))
}

#[emits(name = "hidden", output = Vec<Order>)]
async fn hidden(
    tx: OutboxTx<Sqlite>,
    name: impl Into<String>,
) -> Result<impl IntoResponse, ApiError> {
    let _ = tx;
    let name: String = name.into();
    Ok((StatusCode::CREATED, [("x-name", name)], Json(vec![Order { id: 1 }])))
}

#[emits(name = "infallible", infallible, output = Order)]
async fn cannot_fail<DB: Backend, T: Display>(tx: OutboxTx<DB>, what: T) -> impl IntoResponse
where
    T: Send,
{
    println!("{what}");
    let _ = tx;
    Json(Order { id: 1 })
}

#[emits(name = "owned", input(n))]
async fn owned<'a>(mut tx: Tx<'a, Sqlite>, &n: &u8) -> anyhow::Result<u8> {
    sqlx::query("select 1").execute(&mut *tx).await?;
    Ok(n)
}

#[derive(Debug, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.cancelled", key = id)]
struct OrderCancelled {
    id: u64,
    by: String,
}

struct Cancel {
    id: u64,
}

struct Cancelled {
    by: String,
}

#[emits(OrderCancelled, with = |cmd: &Cancel, out: &Cancelled| OrderCancelled { id: cmd.id, by: out.by.clone() })]
async fn cancel(tx: &mut Tx<'_, Postgres>, cmd: Cancel) -> Result<Cancelled, Error> {
    let _ = (tx, &cmd);
    Ok(Cancelled { by: "me".to_owned() })
}

#[emits(self::OrderCancelled, with = |id, by, _output| OrderCancelled { id: *id, by: by.to_owned() }, input(id, by))]
async fn cancel_untyped(
    tx: OutboxTx<Postgres>,
    id: u64,
    by: &str,
    other: impl Display,
) -> Result<Json<u8>, Error> {
    let _ = (tx, other.to_string());
    Ok(Json(1))
}

fn cancelled(cmd: &Cancel) -> OrderCancelled {
    OrderCancelled { id: cmd.id, by: String::new() }
}

#[emits(OrderCancelled, with = cancelled)]
async fn cancel_by_path(_tx: Tx<'_, Postgres>, Json(cmd): Json<Cancel>) -> Result<(), Error> {
    let _ = cmd.id;
    Ok(())
}

#[emits(name = "older", version = 2, upcast(from = OlderV1), input(id))]
async fn newer(tx: OutboxTx<Postgres>, id: u64) -> Result<(), Error> {
    let _ = (tx, id);
    Ok(())
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "older", retired)]
struct OlderV1 {}

impl From<OlderV1> for NewerEvent {
    fn from(_: OlderV1) -> Self {
        Self { input: 0 }
    }
}

#[emits(name = "cell", input(n))]
async fn not_sync(tx: OutboxTx<Sqlite>, n: u8, cell: std::cell::Cell<u8>) -> Result<u8, Error> {
    let _ = tx;
    cell.set(n);
    Ok(cell.get())
}

fn is_send<T: Send>(_: T) {}

/// Also where the error is not `Send`, and where an argument or the output is not `Sync`.
#[allow(dead_code)]
fn futures_are_send(mut tx: Tx<'_, Postgres>, other: OutboxTx<Sqlite>) {
    is_send(several(&mut tx, Path((1, String::new())), "", &[], Query(1), &Json(Order { id: 1 }), State(())));
    is_send(not_sync(other, 1, std::cell::Cell::new(2)));
    is_send(cancel(&mut tx, Cancel { id: 1 }));
}

fn main() {
    let event = PlaceOrderEvent {
        input: PlaceOrder {
            sku: "tea".to_owned(),
            card: "4000".to_owned(),
            payment: Payment { iban: Some("DE".to_owned()), amount: 3 },
        },
        output: Order { id: 7 },
    };
    assert_eq!(event.key().as_deref(), Some("7"));
    let json = serde_json::to_string(&event).unwrap();
    assert_eq!(
        json,
        r#"{"input":{"sku":"tea","payment":{"amount":3}},"output":{"id":7}}"#
    );
    let back: PlaceOrderEvent = serde_json::from_str(&json).unwrap();
    assert_eq!(back.input.card, "");
    assert_eq!(back.input.payment, Payment { iban: None, amount: 3 });
    let several = SeveralEvent {
        input: SeveralInput {
            id: 1,
            text: "2".to_owned(),
            many: vec![Order { id: 3 }],
            page: 4,
            order: Order { id: 5 },
        },
        output: "6".to_owned(),
    };
    assert_eq!(several.key().as_deref(), Some("1/6"));
    let json = serde_json::to_value(&several).unwrap();
    assert_eq!(json["input"]["many"][0]["id"], 3);
    let back: SeveralEvent = serde_json::from_value(json).unwrap();
    assert_eq!(back.input.text, "2");
    assert_eq!(NewerEvent { input: 0 }.key(), None);
    assert_eq!(serde_json::to_string(&NothingEvent {}).unwrap(), "{}");
    assert_eq!(OnlyOutputEvent { output: 1 }.output, 1);
    let schema = schemars::schema_for!(PlaceOrderEvent);
    println!("{}", serde_json::to_string_pretty(&schema).unwrap());
}
