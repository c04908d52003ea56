//! All versions of all events, with their schemas, at one time.

use outbox_runtime::{EventInfo, KeyInfo, RegistryInfo};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::revision::{Alias, Reading, Revision};

/// All versions of all events, with their schemas: as the code is, as a folder holds them, or as they
/// were at some commit.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// By name and number.
    pub versions: Vec<Version>,
    /// By name.
    pub consumers: Vec<Consumer>,
}

/// A version of an event.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Version {
    /// The event's name.
    pub name: String,
    /// The version's number.
    pub version: u32,
    /// What it is now.
    pub current: Revision,
    /// What it was when it was released, the oldest first: what somebody may still write or read.
    pub released: Vec<Revision>,
    /// Whether the code has it no more.
    pub removed: bool,
    /// What else the derive says about it.
    pub facts: Facts,
    /// Where it is in the code, as far as the code is there.
    pub declared: Option<Declared>,
}

/// Where an event's version is in the code.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Declared {
    /// The path of the type.
    pub rust_type: String,
    /// The source file, as the compiler was given it.
    pub file: String,
    /// The line in that file, from 1; 0 where it is not known.
    pub line: u32,
}

/// `shop::OrderPlaced, src/events.rs:12`.
impl std::fmt::Display for Declared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.rust_type)?;
        if self.line > 0 {
            write!(f, ", {}:{}", self.file, self.line)?;
        }
        Ok(())
    }
}

/// What the derive says about an event's version besides its schemas.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Facts {
    /// What its key is made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whether it can still be read but not emitted.
    #[serde(skip_serializing_if = "is_false")]
    pub retired: bool,
    /// The version that older payloads are read as and converted from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upcast_from: Option<u32>,
    /// Whether it says that older payloads cannot be read as this version.
    #[serde(skip_serializing_if = "is_false")]
    pub no_upcast: bool,
    /// Properties that older payloads had, and that must not come back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reserved: Vec<String>,
}

/// A consumer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Consumer {
    /// Its name.
    pub name: String,
    /// The event that it takes.
    pub event: String,
    /// The newest version of the event that it knows.
    pub version: u32,
}

/// What has become of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum State {
    /// It was never released, and may change in every way.
    Unreleased,
    /// It is as it was released last.
    Released,
    /// It has changed since it was released last.
    Changed,
    /// It was released, and the code has it no more.
    Removed,
}

impl Snapshot {
    /// What the code says. Nothing of it is released.
    #[must_use]
    pub fn of(registry: &RegistryInfo) -> Self {
        let mut versions: Vec<Version> = registry.events.iter().map(Version::of).collect();
        versions.sort_by(|a, b| a.id().cmp(&b.id()));
        let mut consumers: Vec<Consumer> = registry
            .consumers
            .iter()
            .map(|consumer| Consumer {
                name: consumer.options.name.to_owned(),
                event: consumer.event_name.to_owned(),
                version: consumer.event_version,
            })
            .collect();
        consumers.sort();
        Self { versions, consumers }
    }

    /// A version of an event.
    #[must_use]
    pub fn version(&self, name: &str, version: u32) -> Option<&Version> {
        self.place(name, version).ok().map(|place| &self.versions[place])
    }

    /// Where a version is, or would be.
    pub(super) fn place(&self, name: &str, version: u32) -> Result<usize, usize> {
        self.versions.binary_search_by(|one| one.id().cmp(&(name, version)))
    }

    /// The names of the consumers of an event.
    pub fn consumers_of(&self, event: &str) -> impl Iterator<Item = &str> {
        self.consumers
            .iter()
            .filter(move |consumer| consumer.event == event)
            .map(|consumer| consumer.name.as_str())
    }
}

impl Version {
    fn of(event: &EventInfo) -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let aliases = event.aliases.iter().map(|alias| Alias {
            variant: alias.variant.map(str::to_owned),
            property: alias.property.map(str::to_owned),
            names: owned(alias.names),
        });
        Self {
            name: event.name.to_owned(),
            version: event.version,
            current: Revision {
                write: Value::from((event.write_schema)()).into(),
                read: Value::from((event.read_schema)()).into(),
                reading: Reading {
                    aliases: aliases.collect(),
                    other: event.other.map(str::to_owned),
                },
            },
            released: Vec::new(),
            removed: false,
            declared: Some(Declared {
                rust_type: event.rust_type.to_owned(),
                file: event.declared.file.to_owned(),
                line: event.declared.line,
            }),
            facts: Facts {
                key: event.key.map(|key| match key {
                    KeyInfo::Property(name) => name.to_owned(),
                    KeyInfo::Expression(text) => format!("= {text}"),
                }),
                retired: event.retired,
                upcast_from: event.upcast_from,
                no_upcast: event.no_upcast,
                reserved: owned(event.reserved),
            },
        }
    }

    /// Its name and number.
    pub(super) fn id(&self) -> (&str, u32) {
        (&self.name, self.version)
    }

    /// What has become of it.
    #[must_use]
    pub fn state(&self) -> State {
        match self.released.last() {
            None => State::Unreleased,
            Some(_) if self.removed => State::Removed,
            Some(last) if last.is_same(&self.current) => State::Released,
            Some(_) => State::Changed,
        }
    }
}

/// `order.placed version 1`.
impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} version {}", self.name, self.version)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !value
}
