//! The gate: whether what the code is now can live with what was released.
//!
//! For each revision of each version that was released: does the code that is deployed read what the new
//! code writes (*forward*), and does the new code read what is in the log (*backward*)? A version that is
//! new must be reachable from those before it by upcasts. What breaks is reported under the name of a
//! [rule](crate::rules), with a value that shows it.
//!
//! ```
//! use outbox_codegen::gate;
//! use outbox_codegen::schemas::{self, Snapshot};
//! use outbox_runtime::{EventInfo, Event, RegistryInfo};
//! # use schemars::JsonSchema;
//! # use serde::{Deserialize, Serialize};
//!
//! mod released {
//!     # use outbox_runtime::Event;
//!     # use schemars::JsonSchema;
//!     # use serde::{Deserialize, Serialize};
//!     #[derive(Event, Serialize, Deserialize, JsonSchema)]
//!     #[event(name = "order.placed")]
//!     pub struct OrderPlaced { pub total: i64 }
//! }
//! #[derive(Event, Serialize, Deserialize, JsonSchema)]
//! #[event(name = "order.placed")]
//! struct OrderPlaced { total: i64, currency: String }
//!
//! # let folder = std::env::temp_dir().join(format!("gate-{}", std::process::id()));
//! let old = RegistryInfo::new("Shop", vec![EventInfo::of::<released::OrderPlaced>()], vec![]);
//! schemas::generate(&Snapshot::of(&old), &folder)?;
//! schemas::release(&folder, &[])?;
//!
//! let new = RegistryInfo::new("Shop", vec![EventInfo::of::<OrderPlaced>()], vec![]);
//! let report = gate::compare(&Snapshot::of(&new), &schemas::released(&folder, None)?);
//! let finding = &report.findings[0];
//! assert_eq!((finding.rule.id, finding.path.as_str()), ("required-field-added", ".currency"));
//! assert!(report.is_breaking());
//! # std::fs::remove_dir_all(folder).expect("removed");
//! # Ok::<(), schemas::Error>(())
//! ```

mod finding;
mod github;
mod json;
mod text;
mod versions;
mod waiver;

use std::collections::HashMap;

use crate::parallel;
use crate::schemas::{Revision, Snapshot, Superseded, Version};

pub use finding::{Direction, Finding, Level};
pub use waiver::{FILE as WAIVERS, Waiver, Waivers};

/// What the gate found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Everything, in the order of events and versions; of a version what breaks first.
    pub findings: Vec<Finding>,
    /// Waivers that waive nothing, because what they are for is gone, or because they have expired.
    pub unused: Vec<Waiver>,
    /// How many versions of events were released.
    pub versions: usize,
    /// How many pairs of schemas were compared: those that are not the same.
    pub compared: usize,
}

impl Report {
    /// Whether something breaks that is not waived.
    #[must_use]
    pub fn is_breaking(&self) -> bool {
        self.breaking().next().is_some()
    }

    /// The revisions that something breaks with which is waived: once it is released, it need not be
    /// waived for ever.
    #[must_use]
    pub fn superseded(&self) -> Vec<Superseded> {
        let waived = self.findings.iter().filter(|finding| finding.waived.is_some());
        waived
            .filter_map(|finding| {
                let Finding { event, version, revision, .. } = finding;
                Some(Superseded { event: event.clone(), version: *version, revision: (*revision)? })
            })
            .collect()
    }

    /// What breaks and is not waived.
    pub fn breaking(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| finding.level == Level::Breaking && finding.waived.is_none())
    }
}

/// Holds what the code is now against what was released.
#[must_use]
pub fn compare(code: &Snapshot, released: &Snapshot) -> Report {
    let all: Vec<&Version> =
        released.versions.iter().filter(|old| !old.released.is_empty()).collect();
    let mut report = Report { versions: all.len(), ..Report::default() };
    for (findings, compared) in parallel::map(&all, |old| compare_one(code, released, old)) {
        report.findings.extend(findings);
        report.compared += compared;
    }
    report.findings.extend(bumped(code, released));
    report.findings.extend(keys(code, released));
    report.findings.sort_by(|a, b| (&a.event, a.version).cmp(&(&b.event, b.version)));
    report
}

/// What is found of a version that was released, and how many pairs of schemas were compared.
fn compare_one(code: &Snapshot, released: &Snapshot, old: &Version) -> (Vec<Finding>, usize) {
    let mut compared = 0;
    let mut findings = match code.version(&old.name, old.version).filter(|new| !new.removed) {
        Some(new) => versions::compare(old, new, &mut compared),
        None => vec![gone(code, released, old)],
    };
    for finding in &mut findings {
        finding.consumers = code.consumers_of(&old.name).map(str::to_owned).collect();
    }
    findings.sort_by_key(|finding| finding.level);
    (findings, compared)
}

/// A version that was released, and that the code does not have.
fn gone(code: &Snapshot, released: &Snapshot, old: &Version) -> Finding {
    let is_known = |version: &&Version| !version.removed;
    if code.versions.iter().filter(is_known).any(|version| version.name == old.name) {
        let what = "it was released, and the code has it no more".to_owned();
        return Finding::of_version(&crate::rules::version_removed::RULE, old, what);
    }
    // (Only its documentation may tell a renamed event from another one: the title is the type's.)
    let is_new = |version: &&Version| {
        !version.removed && released.versions.iter().all(|old| old.name != version.name)
    };
    let last = &old.released[old.released.len() - 1];
    let twin = code.versions.iter().filter(is_new).find(|new| is_twin(last, &new.current));
    match twin {
        Some(twin) => {
            let what = format!("it is gone, and `{}` has its schema", twin.name);
            Finding::of_version(&crate::rules::event_renamed::RULE, old, what)
        }
        None => {
            let what = "it was released, and the code has no version of it".to_owned();
            Finding::of_version(&crate::rules::event_removed::RULE, old, what)
        }
    }
}

fn is_twin(old: &Revision, new: &Revision) -> bool {
    old.write.hash() == new.write.hash()
}

/// Versions that are new, and that those before them cannot be read as.
fn bumped(code: &Snapshot, released: &Snapshot) -> Vec<Finding> {
    let mut findings = Vec::new();
    for new in code.versions.iter().filter(|new| !new.removed) {
        let is_before = |old: &&Version| old.name == new.name && old.version < new.version;
        let is_released =
            released.version(&new.name, new.version).is_some_and(|same| !same.released.is_empty());
        if is_released || new.facts.upcast_from.is_some() {
            continue;
        }
        let Some(old) = released.versions.iter().rev().find(is_before) else { continue };
        let what = format!("version {} was released, and is not converted to it", old.version);
        let mut finding =
            Finding::of_version(&crate::rules::version_without_upcast::RULE, new, what);
        finding.consumers = code.consumers_of(&new.name).map(str::to_owned).collect();
        findings.push(finding);
    }
    findings
}

/// Events whose newest versions have different keys.
fn keys(code: &Snapshot, released: &Snapshot) -> Vec<Finding> {
    let mut findings = Vec::new();
    let code_has = newest(code).filter(|new| !new.removed);
    let code_has: HashMap<&str, &Version> = code_has.map(|new| (&*new.name, new)).collect();
    for old in newest(released) {
        let new = code_has.get(&*old.name).filter(|new| new.facts.key != old.facts.key);
        let Some(new) = new else { continue };
        let shown = |key: &Option<String>| {
            key.as_ref()
                .map_or("nothing".to_owned(), |key| format!("`{}`", key.trim_start_matches("= ")))
        };
        let (from, to) = (shown(&old.facts.key), shown(&new.facts.key));
        let what = format!("the key was made from {from}, and is made from {to}");
        let mut finding = Finding::of_version(&crate::rules::key_changed::RULE, new, what);
        finding.level = Level::Warning;
        finding.consumers = code.consumers_of(&new.name).map(str::to_owned).collect();
        findings.push(finding);
    }
    findings
}

/// The newest version of each event.
fn newest(snapshot: &Snapshot) -> impl Iterator<Item = &Version> {
    let versions = &snapshot.versions;
    versions.iter().enumerate().filter_map(|(place, version)| {
        let is_last = versions.get(place + 1).is_none_or(|next| next.name != version.name);
        is_last.then_some(version)
    })
}
