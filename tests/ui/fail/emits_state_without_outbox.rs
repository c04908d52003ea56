use outbox_runtime::{OutboxTx, Postgres};

use axum::extract::FromRequestParts;

#[derive(Clone)]
struct AppState;

fn extracted<T: FromRequestParts<AppState>>() {}

fn extract() {
    extracted::<OutboxTx<Postgres>>();
}

fn main() {}
