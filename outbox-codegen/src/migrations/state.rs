//! What the files of a folder have given a database, in all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::kind::Kind;
use super::part::{Does, Owner, parts};
use crate::schemas::Error;

/// What is there after all files have been applied.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The format of the engine's tables; 0 before there are any.
    pub(super) format: u32,
    pub(super) views: BTreeMap<String, View>,
    /// By event and property.
    pub(super) indexes: BTreeMap<(String, String), Index>,
    pub(super) consumers: BTreeSet<String>,
}

#[derive(Debug)]
pub(super) struct View {
    pub(super) name: String,
    pub(super) columns: Vec<(String, Kind)>,
    pub(super) sql: String,
}

#[derive(Debug)]
pub(super) struct Index {
    pub(super) name: String,
    pub(super) sql: String,
}

/// A file of a folder of migrations, as sqlx names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) version: u64,
    /// The version as it is written, with its zeros.
    pub(super) digits: usize,
    pub(super) name: String,
}

/// The migrations of a folder, of whatever application, in the order in which they are applied.
pub(super) fn files(folder: &Path) -> Result<Vec<File>, Error> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io(folder, &error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let name = entry.map_err(|error| Error::io(folder, &error))?.file_name();
        files.extend(name.to_str().and_then(file));
    }
    files.sort_by(|a, b| (a.version, &a.name).cmp(&(b.version, &b.name)));
    Ok(files)
}

/// `20261126101112_create_users.sql`.
fn file(name: &str) -> Option<File> {
    let (version, rest) = name.split_once('_')?;
    let is_applied = rest.ends_with(".sql") && !rest.ends_with(".down.sql");
    let version_number = version.parse().ok().filter(|_| is_applied)?;
    Some(File { version: version_number, digits: version.len(), name: name.to_owned() })
}

impl State {
    /// Reads all files. The tables are those of everybody who shares them; the rest is the registry's.
    pub(super) fn of(folder: &Path, files: &[File], owner: &Owner) -> Result<Self, Error> {
        let mut state = Self::default();
        for file in files {
            let path = folder.join(&file.name);
            let text = std::fs::read_to_string(&path).map_err(|error| Error::io(&path, &error))?;
            let shown = path.display().to_string();
            let parts = parts(&text, &shown)?;
            let Some(first) = parts.first() else { continue };
            let Does::File(of) = &first.does else {
                return Err(Error::unusable(
                    shown,
                    "its first line of `outbox migrations` is gone",
                ));
            };
            if of.database != owner.database {
                let why = format!(
                    "it is for {:?}, and {:?} was asked for: each needs a folder of its own",
                    of.database, owner.database
                );
                return Err(Error::unusable(shown, why));
            }
            let (shares_tables, is_own) = (of.schema == owner.schema, of == owner);
            for part in parts.into_iter().skip(1) {
                let is_tables = matches!(part.does, Does::Tables { .. });
                if is_own || (shares_tables && is_tables) {
                    state.apply(part.does, part.sql);
                }
            }
        }
        Ok(state)
    }

    fn apply(&mut self, does: Does, sql: String) {
        match does {
            Does::File(_) => {}
            Does::Tables { format } => self.format = self.format.max(format),
            Does::View { event, name, columns } => {
                self.views.insert(event, View { name, columns, sql });
            }
            Does::DropView { event } => {
                self.views.remove(&event);
            }
            Does::Index { event, property, name } => {
                self.indexes.insert((event, property), Index { name, sql });
            }
            Does::DropIndex { event, property } => {
                self.indexes.remove(&(event, property));
            }
            Does::Register { consumer } => {
                self.consumers.insert(consumer);
            }
            Does::Retire { consumer } => {
                self.consumers.remove(&consumer);
            }
        }
    }
}
