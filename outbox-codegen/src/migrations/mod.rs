//! Migration files from a registry: the engine's tables, a view and indexes of every event, consumers
//! that appear and disappear.
//!
//! What is written is the difference between what a registry needs and what the files of a folder
//! give, as one new file; what is there is never touched. The files are sqlx's, next to those of the
//! application, and are applied by `sqlx migrate run` or `sqlx::migrate!()`.
//!
//! | part | is |
//! | --- | --- |
//! | tables | the engine's own tables and functions, wherever the runtime's format has moved on |
//! | view | `outbox.v_order_placed` (SQLite: `outbox_v_order_placed`): `position`, `id`, `version`, `key`, `created_at`, and a typed column for each property of the newest version |
//! | index | one on a property that an event asks for with `#[event(index(customer))]`; queries of the view use it |
//! | consumer | one that appeared is made known: with `start = now`, events from now on are kept for it, not only those after its first worker came |
//! | retirement | one that disappeared is retired, so that it holds nothing back: when told to, in a file of its own, since it is refused while a worker of an older deployment runs it |
//!
//! A view fails on no row: a value that is not of its column's type, in an older version or in what
//! somebody emitted from SQL, is null. Names that serde reads as aliases are read, and defaults are
//! filled in, but not where an upcaster says what older payloads mean.
//!
//! Of events and consumers, the files know what they were given by this registry only: several
//! registries can share tables and a folder.
//!
//! ```
//! use outbox_codegen::migrations::{Retire, pending};
//! use outbox_runtime::Registry;
//! use outbox_runtime::migrations::Migrations;
//! # mod shop {
//! #     use outbox_runtime::{Event, registry};
//! #     #[derive(Event, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
//! #     #[event(name = "order.placed")]
//! #     pub struct OrderPlaced { pub customer: String }
//! #     registry! { pub struct Shop; events: [OrderPlaced] }
//! # }
//!
//! let folder = tempfile::tempdir()?;
//! let to = Migrations::sqlite("outbox")?;
//! let shop = shop::Shop::registry();
//! let files = pending(&shop, &to, folder.path())?.generate(Retire::Never, chrono::Utc::now())?;
//! assert_eq!(files.len(), 1);
//! assert!(std::fs::read_to_string(&files[0])?.contains("create view \"outbox_v_order_placed\""));
//!
//! assert!(pending(&shop, &to, folder.path())?.missing().is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod columns;
mod file;
mod kind;
mod needs;
mod part;
mod sql;
mod state;

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use outbox_runtime::RegistryInfo;
use outbox_runtime::migrations::Migrations;

use crate::schemas::Error;
use part::{Database, Owner, Part};
use state::{File, State};

/// What files do not give yet.
#[derive(Debug)]
pub struct Pending {
    folder: PathBuf,
    files: Vec<File>,
    owner: Owner,
    to: Migrations,
    is_first: bool,
    missing: Vec<Part>,
    gone: Vec<String>,
}

/// What becomes of consumers that the registry has no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retire {
    /// They stay, and hold back the retention of their events.
    Never,
    /// They are retired; a migration that finds deliveries or unread events of one refuses.
    Finished,
    /// They are retired with whatever they have not done.
    WithWork,
}

/// What a registry needs of tables that the files of a folder do not give. The folder need not be
/// there.
///
/// # Errors
///
/// When the folder cannot be read, or has files that were generated for another kind of database,
/// or changed beyond understanding.
pub fn pending(registry: &RegistryInfo, to: &Migrations, folder: &Path) -> Result<Pending, Error> {
    let owner = Owner {
        database: Database::of(to),
        schema: to.schema().to_owned(),
        registry: registry.name.to_owned(),
    };
    let files = state::files(folder)?;
    let state = State::of(folder, &files, &owner)?;
    Ok(Pending {
        folder: folder.to_owned(),
        missing: needs::missing(registry, to, &state),
        gone: needs::gone(registry, &state),
        is_first: state.format == 0,
        files,
        owner,
        to: to.clone(),
    })
}

impl Pending {
    /// What is missing, in words.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        self.missing.iter().map(|part| part.does.to_string()).collect()
    }

    /// Consumers that the files have made known and the registry has no more.
    #[must_use]
    pub fn gone(&self) -> &[String] {
        &self.gone
    }

    /// Writes what is missing as one file, and retirements as another; returns them. (The time is
    /// the version of a file, where the folder does not count its files otherwise.)
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn generate(self, retire: Retire, now: DateTime<Utc>) -> Result<Vec<PathBuf>, Error> {
        let Self { folder, files, owner, to, is_first, missing, gone } = self;
        let drop_work = retire == Retire::WithWork;
        let gone = gone.iter().filter(|_| retire != Retire::Never);
        let retirements = gone.map(|gone| needs::retirement(gone, &to, drop_work)).collect();
        let mut version = file::next(&files, now);
        let mut written = Vec::new();
        for parts in [missing, retirements] {
            let parts: Vec<Part> = parts;
            if parts.is_empty() {
                continue;
            }
            let path = folder.join(file::name(version, &parts, is_first));
            file::create(&path, &file::text(&owner, &parts))?;
            written.push(path);
            version = version.following();
        }
        Ok(written)
    }
}
