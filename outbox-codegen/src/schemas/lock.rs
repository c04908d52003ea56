//! `outbox.lock`: which versions the folder holds, what was released of them, and the hash of each schema.
//!
//! TOML, sorted, the same on every machine. Hashes are of what a schema means, so a comment that is
//! worded differently does not change the lock.

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::revision::{Reading, Revision};
use super::snapshot::{Consumer, Facts, Snapshot, State, Version};
use crate::parallel;

/// The file's name.
pub const FILE: &str = "outbox.lock";

const FORMAT: u32 = 1;

const HEAD: &str = "# Written by `outbox schemas`: the versions of all events, and what was released of them.\n\
                    # Commit it. What was released is not to be edited.\n\n";

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lock {
    pub(super) format: u32,
    #[serde(default, rename = "event", skip_serializing_if = "Vec::is_empty")]
    pub(super) events: Vec<Entry>,
    #[serde(default, rename = "consumer", skip_serializing_if = "Vec::is_empty")]
    pub(super) consumers: Vec<Consumer>,
}

/// A version of an event.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) version: u32,
    pub(super) state: State,
    #[serde(flatten)]
    pub(super) facts: Facts,
    #[serde(flatten)]
    pub(super) current: Hashes,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) released: Vec<Hashes>,
}

/// The hashes of a revision's schemas, and what they do not show.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Hashes {
    pub(super) write: String,
    pub(super) read: String,
    #[serde(flatten)]
    pub(super) reading: Reading,
}

impl Hashes {
    pub(super) fn of(revision: &Revision) -> Self {
        Self {
            write: revision.write.hash().to_owned(),
            read: revision.read.hash().to_owned(),
            reading: revision.reading.clone(),
        }
    }
}

impl Lock {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let entry = |version: &Version| Entry {
            name: version.name.clone(),
            version: version.version,
            state: version.state(),
            facts: version.facts.clone(),
            current: Hashes::of(&version.current),
            released: version.released.iter().map(Hashes::of).collect(),
        };
        Self {
            format: FORMAT,
            events: parallel::map(&snapshot.versions, entry),
            consumers: snapshot.consumers.clone(),
        }
    }

    pub(super) fn text(&self) -> String {
        let text = toml::to_string(self).expect("a lock has texts and numbers only");
        format!("{HEAD}{text}")
    }

    pub(super) fn parse(text: &str, shown: &str) -> Result<Self, Error> {
        let unusable = |why: String| Error::unusable(shown, why);
        let lock: Self = toml::from_str(text).map_err(|error| unusable(error.to_string()))?;
        if lock.format != FORMAT {
            return Err(unusable(format!(
                "its format is {}, and this command knows format {FORMAT}: use the `outbox-codegen` \
                 that wrote it, or a newer one",
                lock.format
            )));
        }
        for entry in &lock.events {
            outbox_runtime::EventName::new(entry.name.as_str()).map_err(|error| {
                unusable(format!("`{}` is no event's name: {error}", entry.name))
            })?;
        }
        Ok(lock)
    }
}
