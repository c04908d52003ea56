//! Receiving: the webhook and its event are committed together, or not at all.

use anyhow::{Context, Result};
use outbox_runtime::{ErrorKind, Outbox};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::database::Database;
use crate::events::WebhookReceived;
use crate::progress::Progress;
use crate::webhook::{Files, Webhook};

/// What became of the files of a folder.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Ingested {
    /// Files in the folder that were looked at.
    pub(crate) found: u64,
    /// Stored now, each with its event.
    pub(crate) stored: u64,
    /// Stored already, by an earlier run.
    pub(crate) known: u64,
    /// Not taken.
    pub(crate) skipped: Vec<Skipped>,
}

/// A file that is not a webhook, and why.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Skipped {
    pub(crate) file: String,
    pub(crate) reason: String,
}

/// Ingests every file, until told to stop. A file that cannot be taken is noted and does not
/// concern the others; a database that fails ends it, and the next run goes on.
pub(crate) async fn ingest<DB: Database>(
    outbox: &Outbox<DB::Registry, DB>,
    files: &Files,
    progress: &Progress,
    stop: &CancellationToken,
) -> Result<Ingested> {
    let mut ingested = Ingested::default();
    for file in files.iter() {
        if stop.is_cancelled() {
            break;
        }
        ingested.found += 1;
        let outcome = match Webhook::read(file) {
            Ok(webhook) => receive::<DB>(outbox, webhook).await,
            Err(reason) => Ok(Received::Refused(reason)),
        };
        match outcome.with_context(|| format!("cannot store {}", file.display()))? {
            Received::Stored => ingested.stored += 1,
            Received::Known => ingested.known += 1,
            Received::Refused(reason) => {
                let file = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                ingested.skipped.push(Skipped { file, reason });
            }
        }
        progress.ingested(&ingested);
    }
    Ok(ingested)
}

enum Received {
    Stored,
    Known,
    Refused(String),
}

/// Receives one webhook: what the handler of an HTTP request would do.
async fn receive<DB: Database>(
    outbox: &Outbox<DB::Registry, DB>,
    webhook: Webhook,
) -> Result<Received> {
    // A transaction of the outbox wakes the consumers when it commits. Any transaction of sqlx
    // would do as well; consumers would then find the event a moment later.
    let mut tx = outbox.begin().await?;
    if !DB::insert_webhook(&mut tx, &webhook).await? {
        // Whoever sends webhooks repeats what it got no answer to. The table knows the delivery
        // ids of all times; an application without such a table gives the event a dedup key.
        return Ok(Received::Known);
    }
    match outbox.emit(&mut tx, WebhookReceived::from(webhook)).await {
        Ok(_) => {}
        // Too big, nested too deep, a NUL character: nothing was written, and the error says
        // what is wrong. Dropping the transaction takes the row back.
        Err(error) if error.kind() == ErrorKind::Refused => {
            return Ok(Received::Refused(error.to_string()));
        }
        Err(error) => return Err(error.into()),
    }
    tx.commit().await?;
    Ok(Received::Stored)
}

impl From<Webhook> for WebhookReceived {
    fn from(webhook: Webhook) -> Self {
        let text = |pointer| webhook.json.pointer(pointer)?.as_str().map(str::to_owned);
        Self {
            action: text("/action"),
            sender: text("/sender/login"),
            delivery_id: webhook.delivery_id,
            kind: webhook.kind,
            repository: webhook.repository,
            body: webhook.json,
        }
    }
}
