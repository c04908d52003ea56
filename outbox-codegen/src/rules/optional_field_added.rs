//! An optional or defaulted field is added.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "optional-field-added",
    change: "an optional or defaulted field is added",
    forward: Verdict::Safe,
    backward: Verdict::Safe,
    why: "Who does not know it ignores it, and who knows it does without.",
    advice: "",
    finds: |change| matches!(change, Kind::FieldAdded { is_required: false, old_is_closed: false }),
};
