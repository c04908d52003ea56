//! Above and below attributes that wrap the body or look at the signature. (`debug_handler` copies
//! the body, so above `#[emits]` it sees an `OutboxTx` that is not begun.)

use axum::Json;
use axum::extract::Path;
use outbox_runtime::{Error, HasOutbox, Outbox, OutboxTx, Sqlite, Tx, emits, registry};

#[derive(Clone)]
struct AppState {
    outbox: Outbox<Api, Sqlite>,
}

impl HasOutbox<Sqlite> for AppState {
    type Registry = Api;

    fn outbox(&self) -> &Outbox<Api, Sqlite> {
        &self.outbox
    }
}

struct ApiError;

impl From<Error> for ApiError {
    fn from(_: Error) -> Self {
        Self
    }
}

impl std::fmt::Debug for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiError")
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiError")
    }
}

impl axum::response::IntoResponse for ApiError {
    fn into_response(self) -> axum::response::Response {
        axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

async fn run(tx: &mut Tx<'_, Sqlite>) -> Result<(), Error> {
    sqlx::query("select 1").execute(&mut **tx).await.ok();
    Ok(())
}

#[tracing::instrument]
#[emits(name = "above", input(id))]
async fn above(mut tx: OutboxTx<Sqlite>, Path(id): Path<String>) -> Result<Json<String>, ApiError> {
    run(&mut tx).await?;
    Ok(Json(id))
}

#[emits(name = "below", input(id))]
#[tracing::instrument(skip(tx), err)]
async fn below(mut tx: OutboxTx<Sqlite>, Path(id): Path<String>) -> Result<Json<String>, ApiError> {
    run(&mut tx).await?;
    Ok(Json(id))
}

#[tracing::instrument(skip_all)]
#[emits(name = "borrowed", input(id))]
async fn borrowed(tx: &mut Tx<'_, Sqlite>, id: String) -> Result<Json<String>, ApiError> {
    run(tx).await?;
    Ok(Json(id))
}

#[axum::debug_handler(state = AppState)]
#[emits(name = "debugged.above", input(id))]
async fn debugged_above(
    tx: OutboxTx<Sqlite>,
    Path(id): Path<String>,
) -> Result<Json<String>, ApiError> {
    let _ = &tx;
    Ok(Json(id))
}

#[tracing::instrument]
#[emits(name = "debugged.below", input(id))]
#[axum::debug_handler(state = AppState)]
async fn debugged_below(
    mut tx: OutboxTx<Sqlite>,
    Path(id): Path<String>,
) -> Result<Json<String>, ApiError> {
    run(&mut tx).await?;
    Ok(Json(id))
}

registry! {
    struct Api;
    events: [AboveEvent, BelowEvent, BorrowedEvent, DebuggedAboveEvent, DebuggedBelowEvent],
}

fn main() {
    let routes = axum::Router::<AppState>::new()
        .route("/above/{id}", axum::routing::post(above))
        .route("/below/{id}", axum::routing::post(below))
        .route("/debugged-above/{id}", axum::routing::post(debugged_above))
        .route("/debugged-below/{id}", axum::routing::post(debugged_below));
    drop(routes);
    let _ = borrowed;
}
