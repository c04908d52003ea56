//! What there is to say at the end: read from the outbox and the service's tables.

mod text;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use outbox_runtime::{
    DeliveryFilter, DeliveryState, Event, EventFilter, Outbox, RegistryInfo, StoredEvent, headers,
};
use serde::Serialize;

use crate::database::{Count, Database, Totals};
use crate::events::{ReleaseAnnounced, WebhookReceived};
use crate::ingest::Ingested;
use crate::progress::Counts;
use crate::webhook::Files;

/// The report of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Whether nothing is left to do; otherwise the run was interrupted.
    pub(crate) finished: bool,
    database: String,
    folder: String,
    ingested: Ingested,
    stored: Totals,
    consumers: Vec<ConsumerReport>,
    dead_letters: Vec<DeadLetter>,
    announcements: Vec<Announcement>,
    counts: Vec<Count>,
}

/// A consumer's figures.
#[derive(Debug, Serialize)]
struct ConsumerReport {
    name: &'static str,
    this_run: Counts,
    /// Deliveries that are dead letters now.
    dead: u64,
    /// Deliveries that will be made by themselves: delayed, retrying, or behind one of those.
    pending: u64,
    /// Events not yet looked at.
    lag: u64,
    /// Events handled or not wanted, in all runs.
    done: u64,
    /// Attempts that failed and were tried again, in all runs.
    retried: u64,
}

#[derive(Debug, Serialize)]
struct DeadLetter {
    consumer: String,
    event: String,
    /// The webhook's kind and id, where the event is a webhook that can be read.
    kind: Option<String>,
    delivery_id: Option<String>,
    repository: Option<String>,
    attempts: u32,
    errors: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Announcement {
    repository: String,
    tag: String,
    /// The consumer that emitted it.
    emitted_by: Option<String>,
    /// The webhook that it reacted to.
    delivery_id: Option<String>,
}

impl Report {
    pub(crate) async fn read<DB: Database>(
        outbox: &Outbox<DB::Registry, DB>,
        registry: &RegistryInfo,
        database: String,
        files: &Files,
        ingested: Ingested,
        counts: BTreeMap<&'static str, Counts>,
        finished: bool,
    ) -> Result<Self> {
        Ok(Self {
            finished,
            database,
            folder: files.name(),
            ingested,
            stored: DB::totals(outbox.pool()).await.context("cannot read the tables")?,
            consumers: consumers::<DB>(outbox, registry, &counts).await?,
            dead_letters: dead_letters::<DB>(outbox).await?,
            announcements: announcements::<DB>(outbox).await?,
            counts: DB::counts(outbox.pool()).await.context("cannot read the counts")?,
        })
    }

    pub(crate) fn to_json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)?)
    }
}

async fn consumers<DB: Database>(
    outbox: &Outbox<DB::Registry, DB>,
    registry: &RegistryInfo,
    counts: &BTreeMap<&'static str, Counts>,
) -> Result<Vec<ConsumerReport>> {
    let stats = outbox.stats().await?;
    let report = |name: &'static str| {
        let stats = stats.iter().find(|stats| stats.consumer == name)?;
        Some(ConsumerReport {
            name,
            this_run: counts.get(name).copied().unwrap_or_default(),
            dead: stats.dead,
            pending: stats.delayed + stats.retrying + stats.parked,
            lag: stats.lag_events,
            done: stats.handled,
            retried: stats.retried,
        })
    };
    Ok(registry.consumers.iter().filter_map(|consumer| report(consumer.options.name)).collect())
}

async fn dead_letters<DB: Database>(outbox: &Outbox<DB::Registry, DB>) -> Result<Vec<DeadLetter>> {
    let dead = outbox.deliveries(&DeliveryFilter::all().state(DeliveryState::Dead)).await?;
    let describe = |delivery: outbox_runtime::DeliveryInfo| {
        // What is wrong may be the very event, so this expects nothing of it.
        let webhook = serde_json::from_str::<serde_json::Value>(delivery.event.payload.get());
        let webhook = webhook.unwrap_or_default();
        let text = |name: &str| webhook[name].as_str().map(str::to_owned);
        let errors = delivery.errors.iter().map(|error| {
            let messages = [std::slice::from_ref(&error.message), &error.chain].concat();
            messages.join(": ")
        });
        DeadLetter {
            consumer: delivery.consumer,
            kind: text("kind"),
            delivery_id: text("delivery_id"),
            event: delivery.event.name,
            repository: delivery.event.key,
            attempts: delivery.attempts,
            errors: errors.collect(),
        }
    };
    Ok(dead.into_iter().map(describe).collect())
}

/// The announcements, and which webhook each goes back to: what a handler emits carries the event
/// and the consumer that caused it, without anybody's doing.
async fn announcements<DB: Database>(
    outbox: &Outbox<DB::Registry, DB>,
) -> Result<Vec<Announcement>> {
    let events = outbox.events(&EventFilter::all().name(ReleaseAnnounced::NAME)).await?;
    let mut announcements = Vec::with_capacity(events.len());
    for event in events {
        let release = ReleaseAnnounced::decode(event.version, &event.payload)?;
        let cause = cause::<DB>(outbox, &event).await?;
        announcements.push(Announcement {
            repository: release.repository,
            tag: release.tag,
            emitted_by: event.headers.get(headers::CAUSED_BY).map(str::to_owned),
            delivery_id: cause.map(|webhook| webhook.delivery_id),
        });
    }
    Ok(announcements)
}

async fn cause<DB: Database>(
    outbox: &Outbox<DB::Registry, DB>,
    event: &StoredEvent,
) -> Result<Option<WebhookReceived>> {
    let Some(id) = event.headers.get(headers::CAUSATION_ID) else { return Ok(None) };
    let Some(event) = outbox.event(id.parse()?).await? else { return Ok(None) };
    Ok(Some(WebhookReceived::decode(event.version, &event.payload)?))
}
