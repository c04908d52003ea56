//! What reacts to webhooks.
//!
//! A consumer is an async function with a permanent name. The attribute leaves the function as it
//! is, and adds a type of the same name that the registry lists. All of these have `start =
//! beginning`: the default, `now`, would pass over what was received before the consumer was
//! first run.
//!
//! The first half works outside the database and runs with any. The second half works in the
//! database: a transaction has the database's type, so each of these functions is generic here and
//! called by a consumer of three lines in `database/sqlite.rs` and `database/postgres.rs`.

use anyhow::anyhow;
use outbox_runtime::{ConsumerError, Delivery, Emit, Outbox, Outcome, Tx, consumer};

use crate::database::Database;
use crate::events::{ReleaseAnnounced, WebhookReceived};

/// Tells a chat room of finished workflows. The chat service is down at first: it takes the third
/// attempt at each message.
#[consumer(
    name = "chat.notify",
    start = beginning,
    when = |webhook| webhook.kind == "workflow_run",
    retry(max = 5, backoff = "100ms..400ms"),
)]
pub(crate) async fn notify(webhook: Delivery<WebhookReceived>) -> Result<(), ConsumerError> {
    // A worker may die after the service took the message and before that was recorded, so that
    // the message is sent again: this text lets the service see that it has it already.
    let _idempotency_key = webhook.idempotency_key();
    match webhook.attempt() {
        1 | 2 => Err("the chat service answered 503 Service Unavailable".into()),
        _ => Ok(()),
    }
}

/// Puts every webhook into a search index, which refuses those of the kind `star`. After three
/// attempts such a delivery is a dead letter: it keeps its errors, holds nothing else back, and
/// waits until somebody redrives or discards it.
///
/// An error that no retry can mend would be `ConsumerError::permanent(...)`, and dead at once.
#[consumer(name = "search.index", start = beginning, retry(max = 3, backoff = "50ms..200ms"))]
pub(crate) async fn index(webhook: Delivery<WebhookReceived>) -> anyhow::Result<()> {
    if webhook.kind == "star" {
        let cause = anyhow!("400 Bad Request: no mapping for the kind `star`");
        return Err(cause.context(format!("cannot index {}", webhook.delivery_id)));
    }
    Ok(())
}

/// Reminds somebody of an issue that nobody looked at. In real life the delay is `"4h"`, and it
/// survives restarts all the same: it is a row in the database, not a timer.
#[consumer(
    name = "triage.remind",
    start = beginning,
    when = |webhook| webhook.is("issues", "opened"),
    delay = "2s",
)]
pub(crate) async fn remind(webhook: Delivery<WebhookReceived>) -> Outcome {
    match webhook.body.pointer("/issue/title").and_then(|title| title.as_str()) {
        Some(title) => format!("reminded of {title:?}").into(),
        None => Outcome::skip("the issue has no title"),
    }
}

/// Posts announcements. It consumes what `release.announce` emits: neither knows the other.
#[consumer(name = "release.post", start = beginning)]
pub(crate) async fn post(release: Delivery<ReleaseAnnounced>) -> Outcome {
    format!("posted {} of {}", release.tag, release.repository).into()
}

/// Counts webhooks per repository and kind: exactly once, since the count changes in the
/// transaction that records the consumer's progress.
pub(crate) async fn count<DB: Database>(
    webhook: &WebhookReceived,
    tx: &mut Tx<'_, DB>,
) -> Result<(), ConsumerError> {
    let repository = webhook.repository.as_deref().unwrap_or("(none)");
    DB::add_to_count(tx, repository, &webhook.kind).await?;
    Ok(())
}

/// Emits an event of its own for a published release, in the transaction that records the
/// consumer's progress. The event remembers what caused it.
///
/// GitHub may tell of one release several times; the dedup key makes it one announcement.
pub(crate) async fn announce<DB: Database>(
    webhook: &WebhookReceived,
    tx: &mut Tx<'_, DB>,
    outbox: &Outbox<DB::Registry, DB>,
) -> Result<Outcome, ConsumerError> {
    let Some(release) = webhook.published_release() else {
        return Ok(Outcome::skip("not a release of a repository"));
    };
    let dedup_key = format!("{} {}", release.repository, release.tag);
    let emitted = outbox.emit(tx, Emit::new(release).dedup_key(dedup_key)).await?;
    if emitted.duplicate {
        return Ok(Outcome::skip("announced before"));
    }
    Ok(Outcome::Done(None))
}

/// Appends to a feed of activity, in the order of each repository's events.
///
/// This one is delivered at least once and has a transaction of its own. So it may see an event
/// again after a crash, and must notice: the feed holds an event's position once.
pub(crate) async fn append<DB: Database>(
    webhook: &Delivery<WebhookReceived>,
    outbox: &Outbox<DB::Registry, DB>,
) -> Result<Outcome, ConsumerError> {
    let Some(repository) = &webhook.repository else {
        return Ok(Outcome::skip("belongs to no repository"));
    };
    let mut tx = outbox.begin().await?;
    let position = webhook.position();
    if !DB::append_to_feed(&mut tx, repository, position, &webhook.summary()).await? {
        return Ok(Outcome::skip("appended before a crash"));
    }
    if let Some(later) = DB::later_in_feed(&mut tx, repository, position).await? {
        // Never happens: the consumer is `ordered`. Returning drops `tx`, which rolls it back.
        let message = format!("{repository}: event {position} came after event {later}");
        return Err(ConsumerError::permanent(message));
    }
    tx.commit().await?;
    Ok(Outcome::Done(None))
}
