//! `outbox consumers`, but for replaying and skipping.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use clap::Args;
use outbox_runtime::{Backend, ConsumerStats, Rate, ShardInfo};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::command::output::counted;

use super::database::{AnyOutbox, Database, Operation, Said};
use super::listing::{Column, Format, listing, or_dash, span, time};

#[derive(Args)]
pub(in crate::command) struct List {
    #[command(flatten)]
    pub(super) at: Database,
    /// How the list is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Args)]
pub(in crate::command) struct Shards {
    #[command(flatten)]
    pub(super) at: Database,
    /// Of this consumer.
    consumer: Option<String>,
    /// How the list is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Args)]
pub(in crate::command) struct Rates {
    #[command(flatten)]
    pub(super) at: Database,
    /// The consumer.
    consumer: String,
    /// How far back to look.
    #[arg(long, default_value = "1h", value_parser = humantime::parse_duration, value_name = "SPAN")]
    back: Duration,
    /// The span that each line is about.
    #[arg(long, default_value = "5m", value_parser = humantime::parse_duration, value_name = "SPAN")]
    step: Duration,
    /// How the list is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// A consumer, or one key of it.
#[derive(Args)]
struct Part {
    /// The consumer.
    consumer: String,
    /// Only this key: its events are parked, in their order, and other keys go on.
    #[arg(long)]
    key: Option<String>,
}

#[derive(Args)]
pub(in crate::command) struct Pause {
    #[command(flatten)]
    pub(super) at: Database,
    #[command(flatten)]
    part: Part,
}

#[derive(Args)]
pub(in crate::command) struct Resume {
    #[command(flatten)]
    pub(super) at: Database,
    #[command(flatten)]
    part: Part,
}

#[derive(Args)]
pub(in crate::command) struct Reshard {
    #[command(flatten)]
    pub(super) at: Database,
    /// The consumer.
    consumer: String,
    /// How many shards there will be, from 1 to 1,024.
    shards: u32,
}

#[derive(Args)]
pub(in crate::command) struct Retire {
    #[command(flatten)]
    pub(super) at: Database,
    /// The consumer.
    consumer: String,
}

/// A consumer, and how many workers have leases of its shards.
struct Consumer {
    stats: ConsumerStats,
    workers: usize,
}

const CONSUMERS: &[Column<Consumer>] = &[
    ("CONSUMER", |consumer| consumer.stats.consumer.clone()),
    ("EVENT", |consumer| consumer.stats.event_name.clone()),
    ("STATE", |consumer| consumer.state().to_owned()),
    ("SHARDS", |consumer| consumer.stats.shards.to_string()),
    ("WORKERS", |consumer| consumer.workers.to_string()),
    ("LAG", |consumer| consumer.stats.lag_events.to_string()),
    ("OLDEST", |consumer| or_dash(consumer.stats.oldest_undelivered.map(span))),
    ("IN FLIGHT", |consumer| consumer.stats.in_flight.to_string()),
    ("DELAYED", |consumer| consumer.stats.delayed.to_string()),
    ("RETRYING", |consumer| consumer.stats.retrying.to_string()),
    ("PARKED", |consumer| consumer.stats.parked.to_string()),
    ("WAITING", |consumer| consumer.stats.waiting.to_string()),
    ("DEAD", |consumer| consumer.stats.dead.to_string()),
    ("HANDLED", |consumer| consumer.stats.handled.to_string()),
    ("HOLDS RETENTION", |consumer| or_dash(consumer.stats.holds_retention.map(span))),
];

const SHARDS: &[Column<ShardInfo>] = &[
    ("CONSUMER", |shard| shard.consumer.clone()),
    ("SHARD", |shard| shard.shard.to_string()),
    ("WORKER", |shard| or_dash(shard.worker)),
    ("LEASE UNTIL", |shard| or_dash(shard.expires_at.map(time))),
    ("EXPIRED", |shard| if shard.expired { "yes" } else { "no" }.to_owned()),
    ("IN FLIGHT", |shard| shard.in_flight.to_string()),
    ("CHECKPOINT", |shard| shard.seq.to_string()),
    ("RECORDED", |shard| time(shard.recorded_at)),
    ("HANDLED", |shard| shard.handled.to_string()),
    ("RETRIED", |shard| shard.retried.to_string()),
    ("DEAD", |shard| shard.dead.to_string()),
];

const RATES: &[Column<Rate>] = &[
    ("FROM", |rate| time(rate.from)),
    ("HANDLED", |rate| rate.handled.to_string()),
    ("PER SECOND", |rate| format!("{:.1}", rate.per_second())),
    ("RETRIED", |rate| rate.retried.to_string()),
    ("DEAD", |rate| rate.dead.to_string()),
];

impl Consumer {
    /// The consumers with the workers that run them.
    fn all(stats: Vec<ConsumerStats>, shards: &[ShardInfo]) -> Vec<Self> {
        let with_workers = |stats: ConsumerStats| {
            let own =
                shards.iter().filter(|shard| shard.consumer == stats.consumer && !shard.expired);
            let workers: BTreeSet<Uuid> = own.filter_map(|shard| shard.worker).collect();
            Self { stats, workers: workers.len() }
        };
        stats.into_iter().map(with_workers).collect()
    }

    fn state(&self) -> &'static str {
        match (self.stats.paused, self.workers) {
            (true, _) => "paused",
            (false, 0) => "no worker",
            (false, _) => "running",
        }
    }

    fn json(&self) -> Value {
        let stats = &self.stats;
        json!({
            "consumer": stats.consumer,
            "event": stats.event_name,
            "state": self.state(),
            "shards": stats.shards,
            "workers": self.workers,
            "paused": stats.paused,
            "lag_events": stats.lag_events,
            "lag_seconds": seconds(stats.lag),
            "oldest_undelivered_seconds": seconds(stats.oldest_undelivered),
            "holds_retention_seconds": seconds(stats.holds_retention),
            "in_flight": stats.in_flight,
            "delayed": stats.delayed,
            "retrying": stats.retrying,
            "parked": stats.parked,
            "waiting": stats.waiting,
            "dead": stats.dead,
            "handled": stats.handled,
            "retried": stats.retried,
            "dead_total": stats.dead_total,
        })
    }
}

fn seconds(span: Option<Duration>) -> Option<f64> {
    span.map(|span| span.as_secs_f64())
}

fn shard(shard: &ShardInfo) -> Value {
    json!({
        "consumer": shard.consumer,
        "shard": shard.shard,
        "worker": shard.worker,
        "expires_at": shard.expires_at,
        "expired": shard.expired,
        "epoch": shard.epoch,
        "in_flight": shard.in_flight,
        "seq": shard.seq,
        "progress": shard.progress,
        "recorded_at": shard.recorded_at,
        "handled": shard.handled,
        "retried": shard.retried,
        "dead": shard.dead,
        "drained": shard.drained,
    })
}

fn rate(rate: &Rate) -> Value {
    json!({
        "from": rate.from,
        "span_seconds": rate.span.as_secs_f64(),
        "handled": rate.handled,
        "per_second": rate.per_second(),
        "retried": rate.retried,
        "dead": rate.dead,
    })
}

impl Operation for List {
    async fn run<DB: Backend>(&self, outbox: &AnyOutbox<DB>) -> Said {
        let consumers = Consumer::all(outbox.stats().await?, &outbox.shards(None).await?);
        Ok(listing(self.format, &consumers, CONSUMERS, Consumer::json))
    }
}

impl Operation for Shards {
    async fn run<DB: Backend>(&self, outbox: &AnyOutbox<DB>) -> Said {
        let shards = outbox.shards(self.consumer.as_deref()).await?;
        Ok(listing(self.format, &shards, SHARDS, shard))
    }
}

impl Operation for Rates {
    async fn run<DB: Backend>(&self, outbox: &AnyOutbox<DB>) -> Said {
        let rates = outbox.rates(&self.consumer, self.back, self.step).await?;
        Ok(listing(self.format, &rates, RATES, rate))
    }
}

impl Operation for Pause {
    async fn run<DB: Backend>(&self, outbox: &AnyOutbox<DB>) -> Said {
        let Part { consumer, key } = &self.part;
        match key {
            Some(key) => outbox.pause_key(consumer, key).await?,
            None => outbox.pause(consumer).await?,
        }
        Ok(format!("{} is paused\n", self.part))
    }
}

impl Operation for Resume {
    async fn run<DB: Backend>(&self, outbox: &AnyOutbox<DB>) -> Said {
        let Part { consumer, key } = &self.part;
        match key {
            Some(key) => outbox.resume_key(consumer, key).await?,
            None => outbox.resume(consumer).await?,
        }
        Ok(format!("{} goes on\n", self.part))
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "key {key} of {}", self.consumer),
            None => f.write_str(&self.consumer),
        }
    }
}

impl Operation for Reshard {
    async fn run<DB: Backend>(&self, outbox: &AnyOutbox<DB>) -> Said {
        let Self { consumer, shards, .. } = self;
        outbox.reshard(consumer, *shards).await?;
        let shards = counted(u64::from(*shards), "shard");
        Ok(format!(
            "{consumer} is going over to {shards}: `outbox consumers shards {consumer}` tells how far it is\n"
        ))
    }
}

impl Operation for Retire {
    async fn run<DB: Backend>(&self, outbox: &AnyOutbox<DB>) -> Said {
        let count = outbox.retire(&self.consumer).await?;
        Ok(format!("{} is retired; deliveries that went with it: {count}\n", self.consumer))
    }
}
