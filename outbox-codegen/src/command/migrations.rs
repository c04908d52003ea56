//! `outbox migrations generate`, and its twin `outbox migrations check`.

use std::path::PathBuf;

use chrono::Utc;
use clap::{Args, ValueEnum};
use outbox_runtime::RegistryInfo;
use outbox_runtime::migrations::Migrations;

use super::Outcome;
use super::output::print;
use crate::migrations::{Pending, Retire, pending};
use crate::schemas::Error;

#[derive(Args)]
struct To {
    /// The folder of the application's migrations.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The kind of the database.
    #[arg(long, value_enum)]
    db: Db,
    /// The schema of the tables (SQLite: their prefix), as given to `OutboxBuilder`.
    #[arg(long, default_value = "outbox", value_name = "NAME")]
    schema: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Db {
    Postgres,
    Sqlite,
}

#[derive(Args)]
pub(super) struct Generate {
    #[command(flatten)]
    to: To,
    /// Also retire the consumers that the code has no more, in a file of its own: to be applied
    /// when no worker runs them any more.
    #[arg(long)]
    retire: bool,
    /// Drop what retired consumers have not done, instead of refusing.
    #[arg(long, requires = "retire")]
    drop_work: bool,
}

#[derive(Args)]
pub(super) struct Check {
    #[command(flatten)]
    to: To,
}

impl To {
    fn pending(&self, registry: &RegistryInfo) -> Result<Pending, Error> {
        let to = match self.db {
            Db::Postgres => Migrations::postgres(&self.schema),
            Db::Sqlite => Migrations::sqlite(&self.schema),
        };
        let to = to.map_err(|error| Error::new(format!("--schema: {error}")))?;
        pending(registry, &to, &self.folder)
    }
}

impl Generate {
    pub(super) fn run(&self, registry: &RegistryInfo) -> Outcome {
        let pending = self.to.pending(registry)?;
        let retire = match (self.retire, self.drop_work) {
            (false, _) => Retire::Never,
            (true, false) => Retire::Finished,
            (true, true) => Retire::WithWork,
        };
        for part in pending.missing() {
            print(&format!("{part}\n"));
        }
        let gone = pending.gone().to_vec();
        let files = pending.generate(retire, Utc::now())?;
        for file in &files {
            print(&format!("{}\n", file.display()));
        }
        if files.is_empty() {
            print("nothing is missing\n");
        }
        if retire == Retire::Never {
            tell_of(&gone);
        }
        Ok(true)
    }
}

impl Check {
    pub(super) fn run(&self, registry: &RegistryInfo) -> Outcome {
        let pending = self.to.pending(registry)?;
        let missing = pending.missing();
        for part in &missing {
            print(&format!("missing: {part}\n"));
        }
        if !missing.is_empty() {
            print(&format!(
                "{} lacks what the code needs: run `outbox migrations generate`, look at the new file, and \
                 commit it\n",
                self.to.folder.display(),
            ));
        }
        tell_of(pending.gone());
        Ok(missing.is_empty())
    }
}

fn tell_of(gone: &[String]) {
    for consumer in gone {
        print(&format!(
            "note: {consumer} is not in the code any more, and holds back the retention of its events: \
             `--retire` writes the migration that ends it\n"
        ));
    }
}
