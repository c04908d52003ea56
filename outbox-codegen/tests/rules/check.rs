//! What a case of a rule must be like.

use std::path::Path;

use outbox_codegen::gate::{self, Direction, Level};
use outbox_codegen::rules::{self, Verdict};
use outbox_codegen::schemas::Snapshot;
use outbox_runtime::{Event, EventInfo, RegistryInfo};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::values;

/// What the types of a case are made from.
pub(crate) mod types {
    pub(crate) use std::collections::{BTreeMap, BTreeSet};

    pub(crate) use chrono::{DateTime, Utc};
    pub(crate) use outbox_runtime::Event;
    pub(crate) use schemars::JsonSchema;
    pub(crate) use serde::{Deserialize, Serialize};
    pub(crate) use serde_json::Value;
    pub(crate) use uuid::Uuid;

    pub(crate) fn one() -> u32 {
        1
    }

    pub(crate) fn two() -> u32 {
        2
    }
}

/// What becomes of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Everything is read.
    Reads,
    /// Not everything is, and serde refuses the witness.
    Breaks,
    /// Not everything is, by the schema: serde does not look at this.
    BreaksBySchema,
}
pub(crate) use Expected::{Breaks, BreaksBySchema, Reads};

/// What can be an event of a case.
pub(crate) trait Typed: Event + Serialize + DeserializeOwned + JsonSchema {}
impl<T: Event + Serialize + DeserializeOwned + JsonSchema> Typed for T {}

/// Holds a type against an older one, and the report against serde and the rule. The report.
pub(crate) fn case<Old: Typed, New: Typed>(
    module: &str,
    case: &str,
    forward: Expected,
    backward: Expected,
) -> String {
    let id = id(module);
    let rule = rules::named(&id).expect("a rule of this name");
    let report = gate::compare(&code::<New>(), &released::<Old>());
    let shown = format!("{case}\n{report}");
    assert!(report.findings.iter().any(|one| one.rule.id == id), "`{id}` is not found: {shown}");
    for (direction, expected, verdict) in [
        (Direction::Forward, forward, rule.forward),
        (Direction::Backward, backward, rule.backward),
    ] {
        assert!(
            match verdict {
                Verdict::Safe | Verdict::Warns => expected == Reads,
                Verdict::Breaks => expected != Reads,
                _ => true,
            },
            "{direction:?}: the rule says {verdict:?}, and the case {expected:?}"
        );
        let breaks = report
            .findings
            .iter()
            .filter(|one| one.level == Level::Breaking && one.direction == Some(direction));
        let breaks: Vec<_> = breaks.collect();
        assert_eq!(breaks.is_empty(), expected == Reads, "{direction:?}: {shown}");
        for one in &breaks {
            let witness = one.witness.as_ref().expect("a witness");
            let (written, read) = match direction {
                Direction::Forward => (reads::<New>(witness), reads::<Old>(witness)),
                _ => (reads::<Old>(witness), reads::<New>(witness)),
            };
            assert!(written, "{direction:?}: {witness} is not written: {shown}");
            assert_eq!(read, expected == BreaksBySchema, "{direction:?}: {witness}: {shown}");
        }
        match direction {
            Direction::Forward if breaks.is_empty() => all_read::<New, Old>(&shown),
            Direction::Backward if breaks.is_empty() => all_read::<Old, New>(&shown),
            _ => {}
        }
    }
    shown
}

fn reads<T: DeserializeOwned>(value: &Value) -> bool {
    serde_json::from_value::<T>(value.clone()).is_ok()
}

/// Values that the one writes, all of which the other one reads.
fn all_read<W: Typed, R: Typed>(shown: &str) {
    let writer: Value = (EventInfo::of::<W>().write_schema)().into();
    let mut tried = 0;
    for value in values_of(&writer) {
        let Ok(typed) = serde_json::from_value::<W>(value) else { continue };
        let value = serde_json::to_value(&typed).expect("JSON");
        if let Err(error) = serde_json::from_value::<R>(value.clone()) {
            panic!("serde does not read {value}: {error}; {shown}");
        }
        tried += 1;
    }
    assert!(tried > 0, "no value was tried: {shown}");
}

/// Values that a schema accepts.
fn values_of(schema: &Value) -> Vec<Value> {
    let (mut rng, validator) = (fastrand::Rng::with_seed(7), values::validator(schema));
    let guesses = (0..200).map(|_| values::guess(&mut rng, schema, schema, 6));
    guesses.filter(|value| validator.is_valid(value)).collect()
}

pub(crate) fn registry(events: Vec<EventInfo>) -> RegistryInfo {
    RegistryInfo::new("Shop", events, Vec::new())
}

pub(crate) fn code<E: Event>() -> Snapshot {
    Snapshot::of(&registry(vec![EventInfo::of::<E>()]))
}

pub(crate) fn released<E: Event>() -> Snapshot {
    all_released(code::<E>())
}

/// Everything of it is released.
pub(crate) fn all_released(mut snapshot: Snapshot) -> Snapshot {
    for version in &mut snapshot.versions {
        version.released.push(version.current.clone());
    }
    snapshot
}

/// The rule's name from the module's.
fn id(module: &str) -> String {
    module.rsplit("::").next().expect("a module").replace('_', "-")
}

/// Holds a text against the file of a module.
pub(crate) fn golden(module: &str, text: &str) {
    let file = format!("{}.txt", module.rsplit("::").next().expect("a module"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules").join(file);
    if std::env::var_os("GOLDENS").is_some_and(|value| value == "overwrite") {
        std::fs::write(&path, text).expect("a file");
        return;
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let shown = path.display();
    assert_eq!(found, text, "{shown} says something else (GOLDENS=overwrite writes it anew)");
}
