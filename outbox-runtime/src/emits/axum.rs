//! [`OutboxTx`] as an extractor of axum.

use std::convert::Infallible;

use axum_core::extract::FromRequestParts;
use http::HeaderValue;
use http::request::Parts;

use super::{HasOutbox, OutboxTx};
use crate::headers::Cause;
use crate::store::Backend;

impl<S, DB> FromRequestParts<S> for OutboxTx<DB>
where
    S: HasOutbox<DB> + Send + Sync,
    DB: Backend,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let header = |name: &str| parts.headers.get(name).map(HeaderValue::as_bytes);
        Ok(Self::new(state.outbox()).caused_by(Cause::from_request(header)))
    }
}
