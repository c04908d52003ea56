//! A required field is removed.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "required-field-removed",
    change: "a required field is removed",
    forward: Verdict::Breaks,
    backward: Verdict::Safe,
    why: "The code that is deployed still requires it.",
    advice: "go on writing it until no reader requires it: first give it `#[serde(default)]` and release that; or bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| {
        matches!(change, Kind::FieldRemoved { was_required: true, new_is_closed: false })
    },
};
