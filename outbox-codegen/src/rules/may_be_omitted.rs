//! `skip_serializing_if` is added, and the old reader requires the field.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "may-be-omitted",
    change: "`skip_serializing_if` is added, and the old reader requires the field",
    forward: Verdict::Breaks,
    backward: Verdict::Safe,
    why: "The code that is deployed requires what may now be left out.",
    advice: "release a reader with `#[serde(default)]` first; or bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::MayBeOmitted { is_required: true }),
};
