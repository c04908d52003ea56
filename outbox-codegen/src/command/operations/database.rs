//! The database that an operation is for.

use std::time::Duration;

use clap::Args;
use outbox_runtime::{Backend, Outbox, Postgres, Registry, RegistryInfo};
use sqlx::pool::PoolOptions;

use crate::command::Outcome;
use crate::command::output::print;
use crate::schemas::Error;

/// How long connecting may take.
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Args)]
pub(super) struct Database {
    /// The database: `postgres://USER@HOST/NAME`, or `sqlite:FILE` (`sqlite:FILE?mode=rwc` also makes the
    /// file).
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: String,
    /// The schema of the tables (SQLite: their prefix), as given to `OutboxBuilder`.
    #[arg(long, default_value = "outbox", value_name = "NAME")]
    schema: String,
}

/// What an operation says when it is done.
pub(super) type Said = Result<String, Error>;

/// Something that is done in a database.
pub(super) trait Operation {
    async fn run<DB: Backend>(&self, outbox: &AnyOutbox<DB>) -> Said;
}

/// An outbox of whatever application: nothing is emitted or consumed through it.
pub(super) type AnyOutbox<DB> = Outbox<Anything, DB>;

/// The registry of an application whose types are not known.
pub(super) struct Anything;

impl Registry for Anything {
    type State = ();

    fn registry() -> RegistryInfo {
        RegistryInfo::new("outbox", Vec::new(), Vec::new())
    }
}

impl Database {
    pub(super) fn run(&self, operation: &impl Operation) -> Outcome {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::new(format!("no runtime: {error}")))?;
        let said = runtime.block_on(async {
            match self.database_url.split(':').next() {
                Some("postgres" | "postgresql") => self.run_on::<Postgres>(operation).await,
                #[cfg(feature = "sqlite")]
                Some("sqlite") => self.run_on::<outbox_runtime::Sqlite>(operation).await,
                #[cfg(not(feature = "sqlite"))]
                Some("sqlite") => Err(Error::new(
                    "this `outbox` was built for Postgres only: build it with the feature `sqlite` of \
                     outbox-codegen",
                )),
                _ => Err(Error::new(
                    "--database-url (or DATABASE_URL) begins with `postgres://` or `sqlite:`",
                )),
            }
        });
        print(&visible(&said?));
        Ok(true)
    }

    async fn run_on<DB: Backend>(&self, operation: &impl Operation) -> Said {
        let pool = PoolOptions::<DB>::new().max_connections(4).acquire_timeout(PATIENCE);
        let pool = pool.connect(&self.database_url).await;
        let pool =
            pool.map_err(|error| Error::unusable("cannot connect to the database", error))?;
        let outbox = Outbox::<Anything, DB>::builder(pool.clone());
        let outbox = outbox.namespace(&self.schema);
        let outbox = outbox.map_err(|error| Error::unusable("--schema", error))?.build();
        let said = operation.run(&outbox).await;
        // Workers look by themselves: for operations within a second, for redriven deliveries within
        // five. (What would tell them at once runs in the background, and ends with the pool.)
        pool.close().await;
        said
    }
}

/// The text without what a terminal would obey: keys and messages may come from anybody.
fn visible(text: &str) -> String {
    let shown = |letter: char| match letter {
        '\n' => letter.to_string(),
        letter if letter.is_control() => letter.escape_default().to_string(),
        letter => letter.to_string(),
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_not_commanded() {
        assert_eq!(visible("key: \u{1b}[2Jé\ttab\n"), "key: \\u{1b}[2Jé\\ttab\n");
    }
}
