//! Pausing and resuming: a consumer, or one key of it.

use super::Change;
use crate::error::{Error, ErrorKind, Result};
use crate::store::Control;

/// No fence: what runs may finish and be recorded. A worker gives the shards back when it notices.
pub(crate) async fn set_paused<S: Control>(store: &S, consumer: &str, paused: bool) -> Result<()> {
    let operation = if paused { "pause a consumer" } else { "resume a consumer" };
    let mut change = Change::begin(store, operation, consumer).await?;
    if change.row.paused == paused {
        return Ok(());
    }
    change.row.paused = paused;
    change.commit().await
}

/// The events of a paused key are parked as they are read, and what has a row already is not due.
/// Workers start the consumer's shards anew to learn of it.
pub(crate) async fn set_key_paused<S: Control>(
    store: &S,
    consumer: &str,
    key: &str,
    paused: bool,
) -> Result<()> {
    let operation = if paused { "pause a key" } else { "resume a key" };
    if key.contains('\0') {
        return Err(Error::new(ErrorKind::Refused, operation, "no key contains a NUL character"));
    }
    let mut change = Change::begin(store, operation, consumer).await?;
    if !store.set_key_paused(&mut change.tx, &change.row, key, paused).await? {
        return Ok(());
    }
    change.commit().await
}
