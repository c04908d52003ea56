//! A field is removed, and the new reader denies unknown fields.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "field-removed-from-closed",
    change: "a field is removed, and the new reader denies unknown fields",
    forward: Verdict::Depends("as a removed field"),
    backward: Verdict::Breaks,
    why: "What is in the log still has it.",
    advice: "leave `deny_unknown_fields` out; or bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::FieldRemoved { new_is_closed: true, .. }),
};
