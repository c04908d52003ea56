//! Handlers of axum, from the request to what the event made others do.

use anyhow::Result;
use axum::body::Body;
use axum::extract::{Path, State as Shared};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{
    Backend, ConsumerError, Delivery, Error, EventFilter, HasOutbox, Outbox, OutboxTx, State,
    consumer, emits, headers, registry,
};
use outbox_tests::{Db, Ping, Probe};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tower::ServiceExt;

crate::both! {
    a_request_becomes_an_event_with_its_correlation,
    a_request_that_fails_becomes_none,
    a_slow_request_holds_no_transaction,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Order {
    sku: String,
    #[serde(default)]
    card: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Receipt {
    id: u64,
}

enum ApiError {
    SoldOut,
    Outbox(Error),
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self::Outbox(error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::SoldOut => StatusCode::CONFLICT.into_response(),
            Self::Outbox(error) => {
                (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response()
            }
        }
    }
}

#[emits(name = "http.orders.place", key = output.id, input(customer, order), skip(input.order.card))]
async fn place<DB: Backend>(
    tx: OutboxTx<DB>,
    Shared(_): Shared<Arc<AppState<DB>>>,
    Path(customer): Path<u64>,
    Json(order): Json<Order>,
) -> Result<(StatusCode, Json<Receipt>), ApiError> {
    let _ = tx;
    match order.sku.as_str() {
        "sold out" => Err(ApiError::SoldOut),
        _ => Ok((StatusCode::CREATED, Json(Receipt { id: customer * 10 }))),
    }
}

#[consumer(name = "receipts", start = beginning)]
async fn receipts(
    placed: Delivery<PlaceEvent>,
    State(probe): State<Probe>,
) -> Result<(), ConsumerError> {
    probe.note_event("receipts", &placed, &Ping::new(placed.output.id));
    Ok(())
}

registry! {
    struct Api;
    state: Probe,
    events: [PlaceEvent],
    consumers: [receipts],
}

struct AppState<DB: Backend> {
    outbox: Outbox<Api, DB>,
}

impl<DB: Backend> HasOutbox<DB> for AppState<DB> {
    type Registry = Api;

    fn outbox(&self) -> &Outbox<Api, DB> {
        &self.outbox
    }
}

fn router<DB: Db>(outbox: &TestOutbox<Api, DB>) -> Router {
    let state = AppState { outbox: outbox.outbox().clone() };
    Router::new().route("/{customer}/orders", post(place::<DB>)).with_state(Arc::new(state))
}

fn request(sku: &str) -> Request<Body> {
    Request::post("/7/orders")
        .header("content-type", "application/json")
        .header("traceparent", "00-trace-span-01")
        .header("tracestate", "a=1")
        .header("x-correlation-id", "caf\u{e9}")
        .header("x-request-id", "request-7")
        .body(Body::from(format!(r#"{{"sku":"{sku}","card":"secret"}}"#)))
        .expect("a request")
}

async fn a_request_becomes_an_event_with_its_correlation<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Api, DB>::new().await?;
    let response = router(&outbox).oneshot(request("tea")).await?;
    assert_eq!(response.status(), StatusCode::CREATED);
    let events = outbox.events(&EventFilter::all()).await?;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].key.as_deref(), Some("70"));
    assert!(!events[0].payload.get().contains("secret"));
    let told = |name| events[0].headers.get(name);
    assert_eq!(told(headers::CORRELATION_ID), Some("request-7"), "the other is no ASCII");
    assert_eq!(told(headers::TRACEPARENT), Some("00-trace-span-01"));
    assert_eq!(told(headers::TRACESTATE), Some("a=1"));
    let emitted = outbox.emitted::<PlaceEvent>().await?;
    assert_eq!(emitted[0].input.customer, 7);
    assert_eq!(emitted[0].input.order, Order { sku: "tea".to_owned(), card: String::new() });
    let probe = Probe::default();
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.seen()[0].headers.get(headers::CORRELATION_ID), Some("request-7"));
    assert_eq!(probe.numbers("receipts"), [70]);
    Ok(())
}

async fn a_request_that_fails_becomes_none<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Api, DB>::new().await?;
    let response = router(&outbox).oneshot(request("sold out")).await?;
    assert_eq!(response.status(), StatusCode::CONFLICT);
    let response = router(&outbox).oneshot(request("\\u0000")).await?;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR, "Postgres stores no NUL");
    assert!(outbox.events(&EventFilter::all()).await?.is_empty());
    Ok(())
}

async fn a_slow_request_holds_no_transaction<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Api, DB>::new().await?;
    let (send, sent) = tokio::sync::oneshot::channel::<&'static str>();
    let body = Body::from_stream(futures_util::stream::once(sent));
    let (parts, _) = request("tea").into_parts();
    let answer = tokio::spawn(router(&outbox).oneshot(Request::from_parts(parts, body)));
    tokio::task::yield_now().await;
    // On SQLite nobody else could begin if it had.
    outbox.begin().await?.rollback().await?;
    assert!(!answer.is_finished());
    send.send(r#"{"sku":"tea"}"#).expect("it is waited for");
    assert_eq!(answer.await??.status(), StatusCode::CREATED);
    Ok(())
}
