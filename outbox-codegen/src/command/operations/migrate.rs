//! `outbox migrate`.

use clap::Args;
use outbox_runtime::Backend;

use super::database::{AnyOutbox, Database, Operation, Said};

#[derive(Args)]
pub(in crate::command) struct Migrate {
    #[command(flatten)]
    pub(super) at: Database,
}

impl Operation for Migrate {
    async fn run<DB: Backend>(&self, outbox: &AnyOutbox<DB>) -> Said {
        outbox.migrate().await?;
        Ok("the tables are there, and up to date\n".to_owned())
    }
}
