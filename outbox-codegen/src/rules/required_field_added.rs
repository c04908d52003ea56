//! A required field is added.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "required-field-added",
    change: "a required field is added",
    forward: Verdict::Safe,
    backward: Verdict::Breaks,
    why: "What is in the log does not have it.",
    advice: "give it `#[serde(default)]` or make it an `Option`; or bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::FieldAdded { is_required: true, old_is_closed: false }),
};
