//! `outbox consumers replay`.

use clap::Args;
use outbox_runtime::{Backend, Position};
use uuid::Uuid;

use crate::command::output::counted;

use super::database::{AnyOutbox, Database, Operation, Said};
use super::when::When;

#[derive(Args)]
pub(in crate::command) struct Replay {
    #[command(flatten)]
    pub(super) at: Database,
    /// The consumer.
    consumer: String,
    #[command(flatten)]
    from: From,
    /// Only events with this key.
    #[arg(long)]
    key: Option<String>,
    /// Only events up to this position.
    #[arg(long, value_name = "POSITION")]
    until_position: Option<Position>,
    /// Only events from before this time: RFC 3339, or how long ago, such as `15m`.
    #[arg(long, value_name = "TIME")]
    until_time: Option<When>,
    /// Only these events.
    #[arg(long = "event", value_name = "ID")]
    events: Vec<Uuid>,
    /// At most so many events a second.
    #[arg(long, value_name = "PER SECOND")]
    rate: Option<f64>,
    /// Change nothing, and only count.
    #[arg(long)]
    dry_run: bool,
}

/// Where a replay begins.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct From {
    /// From the oldest event that the log still has.
    #[arg(long)]
    from_beginning: bool,
    /// From this position on.
    #[arg(long, value_name = "POSITION")]
    from_position: Option<Position>,
    /// From the first event of this time or later: RFC 3339, or how long ago, such as `2h`.
    #[arg(long, value_name = "TIME")]
    from_time: Option<When>,
    /// From this event on.
    #[arg(long, value_name = "ID")]
    from_event: Option<Uuid>,
}

impl From {
    async fn replay<DB: Backend>(
        &self,
        outbox: &AnyOutbox<DB>,
    ) -> outbox_runtime::Result<outbox_runtime::Replay> {
        use outbox_runtime::Replay;
        Ok(match *self {
            Self { from_position: Some(position), .. } => Replay::from_position(position),
            Self { from_time: Some(time), .. } => Replay::from_time(time.on(outbox).await?),
            Self { from_event: Some(id), .. } => Replay::from_event(id),
            _ => Replay::from_beginning(),
        })
    }
}

impl Operation for Replay {
    async fn run<DB: Backend>(&self, outbox: &AnyOutbox<DB>) -> Said {
        let mut replay = self.from.replay(outbox).await?;
        if let Some(key) = &self.key {
            replay = replay.key(key);
        }
        if let Some(position) = self.until_position {
            replay = replay.until_position(position);
        }
        if let Some(time) = self.until_time {
            replay = replay.until_time(time.on(outbox).await?);
        }
        if !self.events.is_empty() {
            replay = replay.events(self.events.iter().copied());
        }
        if let Some(rate) = self.rate {
            replay = replay.rate(rate);
        }
        if self.dry_run {
            replay = replay.dry_run();
        }
        let count = outbox.replay(&self.consumer, &replay).await?;
        let events = counted(count, "event");
        Ok(match self.dry_run {
            true => format!("to come again: {events}; nothing was changed\n"),
            false => format!("to come again: {events}\n"),
        })
    }
}
