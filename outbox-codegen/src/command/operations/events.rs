//! `outbox events`.

use clap::Args;
use outbox_runtime::{
    AttemptError, Backend, DeliveryFilter, DeliveryInfo, EventFilter, Position, StoredEvent,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::schemas::Error;

use super::database::{AnyOutbox, Database, Operation, Said};
use super::deliveries;
use super::listing::{Column, Format, listing, or_dash, table, time};

#[derive(Args)]
pub(in crate::command) struct List {
    #[command(flatten)]
    pub(super) at: Database,
    /// Events of this name.
    #[arg(long)]
    name: Option<String>,
    /// Events with this key.
    #[arg(long)]
    key: Option<String>,
    /// Events that were emitted while this one was handled.
    #[arg(long, value_name = "ID")]
    caused_by: Option<Uuid>,
    /// Events after this position.
    #[arg(long, value_name = "POSITION")]
    after: Option<Position>,
    /// At most so many.
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// How the list is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Args)]
pub(in crate::command) struct Show {
    #[command(flatten)]
    pub(super) at: Database,
    /// The event's id.
    id: Uuid,
    /// How it is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

const COLUMNS: &[Column<StoredEvent>] = &[
    ("POSITION", |event| event.position.to_string()),
    ("ID", |event| event.id.to_string()),
    ("EVENT", |event| event.name.clone()),
    ("VERSION", |event| event.version.to_string()),
    ("KEY", |event| or_dash(event.key.as_deref())),
    ("APPENDED", |event| time(event.created_at)),
];

/// The event, with its payload as it is stored.
pub(super) fn json(event: &StoredEvent) -> Value {
    json!({
        "position": event.position,
        "id": event.id,
        "name": event.name,
        "version": event.version,
        "key": event.key,
        "created_at": event.created_at,
        "headers": event.headers,
        "payload": event.payload,
    })
}

impl List {
    /// Whether people should be told that there may be more.
    fn is_cut_off(&self, events: &[StoredEvent]) -> bool {
        matches!(self.format, Format::Text) && events.len() == self.limit as usize
    }
}

impl Operation for List {
    async fn run<DB: Backend>(&self, outbox: &AnyOutbox<DB>) -> Said {
        let mut filter = EventFilter::all().limit(self.limit);
        if let Some(name) = &self.name {
            filter = filter.name(name);
        }
        if let Some(key) = &self.key {
            filter = filter.key(key);
        }
        if let Some(id) = self.caused_by {
            filter = filter.caused_by(id);
        }
        if let Some(position) = self.after {
            filter = filter.after(position);
        }
        let events = outbox.events(&filter).await?;
        let mut list = listing(self.format, &events, COLUMNS, json);
        if let Some(rest) = events.last().filter(|_| self.is_cut_off(&events)) {
            let after = rest.position;
            list +=
                &format!("these are the first {}: `--after {after}` lists the next\n", self.limit);
        }
        Ok(list)
    }
}

impl Operation for Show {
    async fn run<DB: Backend>(&self, outbox: &AnyOutbox<DB>) -> Said {
        let Some(event) = outbox.event(self.id).await? else {
            return Err(Error::new(format!("event {} is not in the log", self.id)));
        };
        let deliveries = outbox.deliveries(&DeliveryFilter::all().event(self.id)).await?;
        let caused = outbox.events(&EventFilter::all().caused_by(self.id)).await?;
        Ok(match self.format {
            Format::Text => text(&event, &deliveries, &caused),
            Format::Json => {
                let mut shown = json(&event);
                shown["deliveries"] = deliveries.iter().map(deliveries::json).collect();
                shown["caused"] = caused.iter().map(json).collect();
                format!("{shown:#}\n")
            }
        })
    }
}

/// An event, line by line, and what became of it.
fn text(event: &StoredEvent, deliveries: &[DeliveryInfo], caused: &[StoredEvent]) -> String {
    let lines = [
        ("position", event.position.to_string()),
        ("id", event.id.to_string()),
        ("event", format!("{} version {}", event.name, event.version)),
        ("key", or_dash(event.key.as_deref())),
        ("appended", time(event.created_at)),
    ];
    let headers = event.headers.iter().map(|(name, value)| (name, value.to_owned()));
    let mut text: String = lines
        .into_iter()
        .chain(headers)
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect();
    text += &format!("payload: {}\n", event.payload.get());
    if !deliveries.is_empty() {
        text += "\ndeliveries that are not done:\n";
        text += &table(deliveries, deliveries::COLUMNS);
        for delivery in deliveries {
            text.extend(delivery.errors.iter().map(|error| failure(&delivery.consumer, error)));
        }
    }
    if !caused.is_empty() {
        text += "\nit caused:\n";
        text += &table(caused, COLUMNS);
    }
    text
}

/// A failed attempt, in a line.
fn failure(consumer: &str, error: &AttemptError) -> String {
    let causes: String = error.chain.iter().map(|cause| format!(": {cause}")).collect();
    let AttemptError { attempt, at, kind, message, .. } = error;
    format!("{consumer}, attempt {attempt} at {}: {kind}: {message}{causes}\n", time(*at))
}
