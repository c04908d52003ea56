//! One thing that the gate found.

use serde_json::Value;

use super::waiver::Waiver;
use crate::rules::Rule;
use crate::schemas::{Declared, Version};

/// A change, and what becomes of those who read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// What kind of change it is.
    pub rule: &'static Rule,
    /// How bad it is.
    pub level: Level,
    /// The event's name.
    pub event: String,
    /// The event's version.
    pub version: u32,
    /// Which way round it breaks; none where both do, or nothing does.
    pub direction: Option<Direction>,
    /// Where in the payload, such as `.items[].price`; empty for the whole.
    pub path: String,
    /// What has changed.
    pub what: String,
    /// What is wrong with the witness.
    pub reason: Option<String>,
    /// A payload that the one side writes and the other one does not read.
    pub witness: Option<Value>,
    /// The number of the released revision that it breaks with, from 1.
    pub revision: Option<usize>,
    /// Whether that revision is not the last one that was released.
    pub is_older: bool,
    /// Where the Rust type is, as far as the code is there.
    pub declared: Option<Declared>,
    /// The consumers of the event.
    pub consumers: Vec<String>,
    /// The waiver that lets it pass.
    pub waived: Option<Waiver>,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Level {
    /// Somebody does not read something.
    Breaking,
    /// Everything is read, and may be taken for what it was not.
    Warning,
    /// Nothing is wrong.
    Safe,
}

/// Who reads what whom wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Direction {
    /// What was released reads what the code writes.
    Forward,
    /// The code reads what was written by what was released.
    Backward,
}

impl Direction {
    /// `forward` or `backward`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
        }
    }
}

impl Level {
    /// `breaking`, `warning` or `safe`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Warning => "warning",
            Self::Safe => "safe",
        }
    }
}

impl Finding {
    /// About a version as a whole, in both directions.
    pub(super) fn of_version(rule: &'static Rule, version: &Version, what: String) -> Self {
        Self {
            rule,
            level: Level::Breaking,
            event: version.name.clone(),
            version: version.version,
            direction: None,
            path: String::new(),
            what,
            reason: None,
            witness: None,
            revision: None,
            is_older: false,
            declared: version.declared.clone(),
            consumers: Vec::new(),
            waived: None,
        }
    }

    /// Where it is: the event, the version, and the place in the payload.
    #[must_use]
    pub fn place(&self) -> String {
        format!(
            "{} version {}{}",
            self.event,
            self.version,
            match self.path.as_str() {
                "" => String::new(),
                path => format!(" at {path}"),
            }
        )
    }
}
