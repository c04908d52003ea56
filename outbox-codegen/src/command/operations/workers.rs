//! `outbox workers`.

use clap::Args;
use outbox_runtime::{Backend, WorkerInfo};
use serde_json::{Value, json};

use super::database::{AnyOutbox, Database, Operation, Said};
use super::listing::{Column, Format, listing, time};

#[derive(Args)]
pub(in crate::command) struct List {
    #[command(flatten)]
    pub(super) at: Database,
    /// How the list is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

const COLUMNS: &[Column<WorkerInfo>] = &[
    ("WORKER", |worker| worker.id.to_string()),
    ("HOST", |worker| worker.host.clone()),
    ("PID", |worker| worker.pid.to_string()),
    ("VERSION", |worker| worker.version.clone()),
    ("STATE", |worker| state(worker).to_owned()),
    ("SHARDS", |worker| worker.shards.to_string()),
    ("CONSUMERS", |worker| worker.consumers.len().to_string()),
    ("STARTED", |worker| time(worker.started_at)),
    ("LAST HEARD OF", |worker| time(worker.heartbeat_at)),
];

fn state(worker: &WorkerInfo) -> &'static str {
    match (worker.alive, worker.leaving) {
        (false, _) => "dead",
        (true, true) => "leaving",
        (true, false) => "alive",
    }
}

fn json(worker: &WorkerInfo) -> Value {
    json!({
        "id": worker.id,
        "host": worker.host,
        "pid": worker.pid,
        "version": worker.version,
        "state": state(worker),
        "shards": worker.shards,
        "consumers": worker.consumers,
        "started_at": worker.started_at,
        "heartbeat_at": worker.heartbeat_at,
    })
}

impl Operation for List {
    async fn run<DB: Backend>(&self, outbox: &AnyOutbox<DB>) -> Said {
        Ok(listing(self.format, &outbox.workers().await?, COLUMNS, json))
    }
}
