//! Calling one consumer with one event.

use std::sync::Arc;

use chrono::Utc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::consumer::{ConsumerError, Context, Delivery, HandleEach, Outcome};
use crate::error::{Error, Result};
use crate::event::{Event, StoredEvent};
use crate::headers::{Headers, stamped};

/// Calls one consumer with one event, as a worker would at the first attempt, without a database:
/// the event is written as JSON and read back, and passes the consumer's `when`.
///
/// Returns `None` when the consumer does not want the event, else what the handler returned.
///
/// # Errors
///
/// [`Refused`](crate::ErrorKind::Refused) when the event cannot be serialised or read back.
pub async fn deliver<C: HandleEach<S, Event: Event>, S>(
    state: &S,
    event: &C::Event,
) -> Result<Option<std::result::Result<Outcome, ConsumerError>>> {
    if !C::when(event) {
        return Ok(None);
    }
    let refused =
        |error: String| Error::new(crate::ErrorKind::Refused, "deliver a test event", error);
    let payload =
        serde_json::value::to_raw_value(event).map_err(|error| refused(error.to_string()))?;
    let stored = Arc::new(StoredEvent {
        position: 1,
        id: Uuid::now_v7(),
        name: C::Event::NAME.to_owned(),
        version: C::Event::VERSION,
        key: event.key().map(std::borrow::Cow::into_owned),
        payload,
        headers: Headers::default(),
        created_at: Utc::now(),
    });
    let consumer = C::OPTIONS.name;
    let context = Context::new(consumer, Arc::clone(&stored), 1, CancellationToken::new());
    let delivery =
        Delivery::decode(stored, consumer, 1).map_err(|error| refused(error.to_string()))?;
    Ok(Some(stamped(context.stamp(), C::handle(delivery, state, context)).await))
}
