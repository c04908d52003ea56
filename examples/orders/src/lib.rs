//! A small shop over HTTP, on SQLite or (feature `postgres`) on Postgres.
//!
//! Each request has one transaction. A handler with `#[emits]` changes the tables, and what it was
//! asked and what it answered become an event in the same transaction; consumers do the rest: charge the
//! card, reserve stock, write mail, pay back.
//!
//! | file | shows |
//! | --- | --- |
//! | `orders.rs` | handlers that emit: in a transaction of their own, and in the caller's |
//! | `consumers.rs` | consumers of each kind |
//! | `events.rs` | the other events |
//! | `shop.rs` | the registry, and the state that handlers and consumers share |
//! | `error.rs` | what a client is told |
//! | `sandbox.rs` | stand-ins for the outside world |
//! | `demo.rs` | a few requests, for people who want to see something |
//! | `tests/http.rs` | real requests: both or neither, whatever fails |
//! | `tests/consumers.rs` | consumers, with `outbox_runtime::testing` |

pub mod consumers;
pub mod database;
pub mod demo;
pub mod error;
pub mod events;
pub mod orders;
pub mod sandbox;
pub mod shop;

use axum::Router;
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;

use crate::shop::AppState;

/// The service.
pub fn app(state: AppState) -> Router {
    Router::new()
        .route("/orders", post(orders::place_order))
        .route("/orders/{id}", get(orders::show_order))
        .route("/orders/{id}/cancel", post(orders::cancel_order))
        .route("/shipments", post(orders::ship_all))
        // A handler that panics is an answer with status 500. Its transaction is rolled back as well.
        .layer(CatchPanicLayer::new())
        .with_state(state)
}
