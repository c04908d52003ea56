//! What a client is told when a request fails. Whatever the reason: the transaction is rolled back, and
//! there is no event.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a request failed.
#[derive(Debug)]
pub enum ApiError {
    /// The client can do something about it.
    Refused(StatusCode, String),
    /// The client cannot. The details go to the log.
    Failed(anyhow::Error),
}

impl ApiError {
    /// Something that was asked for does not exist.
    pub fn not_found(what: impl std::fmt::Display) -> Self {
        Self::Refused(StatusCode::NOT_FOUND, format!("no {what}"))
    }

    /// Something that cannot be done as things are.
    pub fn conflict(why: impl Into<String>) -> Self {
        Self::Refused(StatusCode::CONFLICT, why.into())
    }
}

/// Begin, emit and commit can fail; `#[emits]` reports it in the handler's own error type.
impl From<outbox_runtime::Error> for ApiError {
    fn from(error: outbox_runtime::Error) -> Self {
        let at_commit = error.operation() == "commit";
        // The tables check at the commit who the customer is.
        if at_commit && !error.is_temporary() {
            return Self::conflict(format!("the order was not accepted: {error}"));
        }
        Self::Failed(error.into())
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::Refused(status, message) => (status, message),
            Self::Failed(error) => {
                tracing::error!(error = format!("{error:#}"), "a request failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "please try again later".to_owned())
            }
        };
        (status, Json(json!({ "error": message }))).into_response()
    }
}
