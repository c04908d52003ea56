//! `outbox deliveries`.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use outbox_runtime::{Backend, DeliveryFilter, DeliveryInfo, DeliveryState};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::command::output::counted;
use crate::schemas::Error;

use super::database::{AnyOutbox, Database, Operation, Said};
use super::events;
use super::listing::{Column, Format, listing, or_dash, time};

/// Which deliveries: all conditions that are given must hold.
#[derive(Args)]
#[group(id = "which", multiple = true)]
struct Which {
    /// Of this consumer.
    #[arg(long, value_name = "NAME")]
    consumer: Option<String>,
    /// Of this event.
    #[arg(long, value_name = "ID")]
    event: Option<Uuid>,
    /// Of events with this key.
    #[arg(long)]
    key: Option<String>,
}

/// Which dead letters: nobody means all of them by leaving something out.
#[derive(Args)]
struct DeadLetters {
    #[command(flatten)]
    which: Which,
    /// All of them, of every consumer.
    #[arg(long, conflicts_with = "which")]
    all: bool,
    /// At most so many [default: as many as there are].
    #[arg(long)]
    limit: Option<u32>,
}

#[derive(Args)]
pub(in crate::command) struct List {
    #[command(flatten)]
    pub(super) at: Database,
    #[command(flatten)]
    which: Which,
    /// In this state.
    #[arg(long, value_parser = state())]
    state: Option<DeliveryState>,
    /// At most so many.
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// How the list is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Args)]
pub(in crate::command) struct Redrive {
    #[command(flatten)]
    pub(super) at: Database,
    #[command(flatten)]
    dead: DeadLetters,
}

#[derive(Args)]
pub(in crate::command) struct Discard {
    #[command(flatten)]
    pub(super) at: Database,
    #[command(flatten)]
    dead: DeadLetters,
}

const STATES: [DeliveryState; 5] = [
    DeliveryState::Delayed,
    DeliveryState::Retrying,
    DeliveryState::Parked,
    DeliveryState::Waiting,
    DeliveryState::Dead,
];

fn state() -> impl TypedValueParser<Value = DeliveryState> {
    PossibleValuesParser::new(STATES.map(DeliveryState::as_str)).try_map(|name| {
        STATES.into_iter().find(|state| state.as_str() == name).ok_or("no state of a delivery")
    })
}

pub(super) const COLUMNS: &[Column<DeliveryInfo>] = &[
    ("CONSUMER", |delivery| delivery.consumer.clone()),
    ("STATE", |delivery| delivery.state.to_string()),
    ("POSITION", |delivery| delivery.event.position.to_string()),
    ("EVENT ID", |delivery| delivery.event.id.to_string()),
    ("KEY", |delivery| or_dash(delivery.event.key.as_deref())),
    ("ATTEMPTS", |delivery| delivery.attempts.to_string()),
    ("DUE", |delivery| or_dash(delivery.due_at.map(time))),
    ("LAST ERROR", |delivery| {
        let last = delivery.errors.last();
        or_dash(last.and_then(|error| error.message.lines().next()))
    }),
];

pub(super) fn json(delivery: &DeliveryInfo) -> Value {
    json!({
        "consumer": delivery.consumer,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "due_at": delivery.due_at,
        "first_failed_at": delivery.first_failed_at,
        "errors": delivery.errors,
        "event": events::json(&delivery.event),
    })
}

impl Which {
    fn filter(&self) -> DeliveryFilter {
        let mut filter = DeliveryFilter::all();
        if let Some(consumer) = &self.consumer {
            filter = filter.consumer(consumer);
        }
        if let Some(id) = self.event {
            filter = filter.event(id);
        }
        if let Some(key) = &self.key {
            filter = filter.key(key);
        }
        filter
    }
}

impl DeadLetters {
    fn filter(&self) -> Result<DeliveryFilter, Error> {
        let Which { consumer, event, key } = &self.which;
        if !self.all && consumer.is_none() && event.is_none() && key.is_none() {
            let message = "which dead letters? Say --consumer, --event or --key, or --all of them";
            return Err(Error::new(message));
        }
        Ok(self.limit.into_iter().fold(self.which.filter(), DeliveryFilter::limit))
    }
}

impl Operation for List {
    async fn run<DB: Backend>(&self, outbox: &AnyOutbox<DB>) -> Said {
        let mut filter = self.which.filter().limit(self.limit);
        if let Some(state) = self.state {
            filter = filter.state(state);
        }
        let deliveries = outbox.deliveries(&filter).await?;
        let mut list = listing(self.format, &deliveries, COLUMNS, json);
        if matches!(self.format, Format::Text) && deliveries.len() == self.limit as usize {
            list += &format!("these are the first {}: `--limit` lists more\n", self.limit);
        }
        Ok(list)
    }
}

impl Operation for Redrive {
    async fn run<DB: Backend>(&self, outbox: &AnyOutbox<DB>) -> Said {
        let count = outbox.redrive(&self.dead.filter()?).await?;
        Ok(format!("given another chance: {}\n", counted(count, "dead letter")))
    }
}

impl Operation for Discard {
    async fn run<DB: Backend>(&self, outbox: &AnyOutbox<DB>) -> Said {
        let count = outbox.discard(&self.dead.filter()?).await?;
        Ok(format!("{} discarded\n", counted(count, "dead letter")))
    }
}
