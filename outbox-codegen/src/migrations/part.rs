//! The parts of a migration file, each below a line that says what it is.
//!
//! The files are the only record of what a database has been given: what is missing is found by
//! reading these lines, so that no second record can say something else.

use outbox_runtime::migrations::Migrations;
use serde::{Deserialize, Serialize};

use super::kind::Kind;
use crate::schemas::Error;

/// How the line of a part begins; the rest is JSON.
const MARK: &str = "-- outbox: ";

/// What a part does, as its line says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "does", rename_all = "kebab-case")]
pub(super) enum Does {
    /// Nothing: the first line of a file says whose it is.
    File(Owner),
    /// Brings the engine's tables to a format.
    Tables { format: u32 },
    /// Makes the view of an event, or makes it anew.
    View { event: String, name: String, columns: Vec<(String, Kind)> },
    /// Removes it.
    DropView { event: String },
    /// Makes an index on a property of an event.
    Index { event: String, property: String, name: String },
    /// Removes it.
    DropIndex { event: String, property: String },
    /// Makes a consumer known.
    Register { consumer: String },
    /// Retires it.
    Retire { consumer: String },
}

/// The tables and the registry that a file is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    pub(super) database: Database,
    pub(super) schema: String,
    pub(super) registry: String,
}

/// The kind of a database, as files name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Database {
    Postgres,
    Sqlite,
}

impl Database {
    pub(super) fn of(to: &Migrations) -> Self {
        if to.is_postgres() { Self::Postgres } else { Self::Sqlite }
    }
}

/// A part with its statements.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    pub(super) does: Does,
    pub(super) sql: String,
}

impl Part {
    pub(super) fn text(&self) -> String {
        let does = serde_json::to_string(&self.does).unwrap_or_default();
        format!("{MARK}{does}\n{}", self.sql)
    }
}

/// The parts of a file; none in a file of somebody else's. `shown` names it in errors.
pub(super) fn parts(text: &str, shown: &str) -> Result<Vec<Part>, Error> {
    let mut parts: Vec<Part> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(does) = line.strip_prefix(MARK) {
            let does = serde_json::from_str(does).map_err(|error| {
                let why = format!("line {}: not a line of `outbox migrations`: {error}", index + 1);
                Error::unusable(shown, why)
            })?;
            parts.push(Part { does, sql: String::new() });
        } else if let Some(part) = parts.last_mut() {
            part.sql.push_str(line);
            part.sql.push('\n');
        }
    }
    for part in &mut parts {
        part.sql.truncate(part.sql.trim_end().len());
    }
    Ok(parts)
}

impl Does {
    /// In the name of a file.
    pub(super) fn slug(&self) -> Option<String> {
        match self {
            Self::File(_) => None,
            Self::Tables { format } => Some(format!("tables_{format}")),
            Self::View { name, .. } => Some(name.clone()),
            Self::DropView { event } => Some(format!("drop_v_{event}")),
            Self::Index { name, .. } => Some(name.clone()),
            Self::DropIndex { event, property } => Some(format!("drop_index_{event}_{property}")),
            Self::Register { consumer } => Some(format!("register_{consumer}")),
            Self::Retire { consumer } => Some(format!("retire_{consumer}")),
        }
    }
}

/// For people: `the view of order.placed`.
impl std::fmt::Display for Does {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(owner) => write!(f, "a file of {}", owner.registry),
            Self::Tables { format } => write!(f, "the engine's tables, format {format}"),
            Self::View { event, .. } => write!(f, "the view of {event}"),
            Self::DropView { event } => write!(f, "no view of {event}"),
            Self::Index { event, property, .. } => write!(f, "an index on {property} of {event}"),
            Self::DropIndex { event, property } => write!(f, "no index on {property} of {event}"),
            Self::Register { consumer } => write!(f, "the consumer {consumer}"),
            Self::Retire { consumer } => write!(f, "the end of the consumer {consumer}"),
        }
    }
}
