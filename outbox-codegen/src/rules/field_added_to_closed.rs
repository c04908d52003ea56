//! A field is added, and the old reader denies unknown fields.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "field-added-to-closed",
    change: "a field is added, and the old reader denies unknown fields",
    forward: Verdict::Breaks,
    backward: Verdict::Depends("as an added field"),
    why: "With `deny_unknown_fields` every new field is an error to the code that is deployed.",
    advice: "release a version without `deny_unknown_fields` first; or bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::FieldAdded { old_is_closed: true, .. }),
};
