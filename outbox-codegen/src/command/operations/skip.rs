//! `outbox consumers skip`.

use clap::Args;
use outbox_runtime::{Backend, Position};
use uuid::Uuid;

use crate::command::output::counted;

use super::database::{AnyOutbox, Database, Operation, Said};
use super::when::When;

#[derive(Args)]
pub(in crate::command) struct Skip {
    #[command(flatten)]
    pub(super) at: Database,
    /// The consumer.
    consumer: String,
    #[command(flatten)]
    what: What,
}

/// What is skipped.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct What {
    /// Everything that is committed by now and was not read yet.
    #[arg(long)]
    to_now: bool,
    /// What lies before this position.
    #[arg(long, value_name = "POSITION")]
    to_position: Option<Position>,
    /// What lies before the first event of this time or later: RFC 3339, or how long ago, such as
    /// `2h`.
    #[arg(long, value_name = "TIME")]
    to_time: Option<When>,
    /// One event, whether it waits in the log or is a dead letter.
    #[arg(long, value_name = "ID")]
    event: Option<Uuid>,
}

impl What {
    async fn skip<DB: Backend>(
        &self,
        outbox: &AnyOutbox<DB>,
    ) -> outbox_runtime::Result<outbox_runtime::Skip> {
        use outbox_runtime::Skip;
        Ok(match *self {
            Self { to_position: Some(position), .. } => Skip::to_position(position),
            Self { to_time: Some(time), .. } => Skip::to_time(time.on(outbox).await?),
            Self { event: Some(id), .. } => Skip::event(id),
            _ => Skip::to_now(),
        })
    }
}

impl Operation for Skip {
    async fn run<DB: Backend>(&self, outbox: &AnyOutbox<DB>) -> Said {
        let skip = self.what.skip(outbox).await?;
        let count = outbox.skip(&self.consumer, &skip).await?;
        Ok(format!("{} skipped\n", counted(count, "event")))
    }
}
