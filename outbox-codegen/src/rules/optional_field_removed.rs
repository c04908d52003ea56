//! An optional field is removed.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "optional-field-removed",
    change: "an optional field is removed",
    forward: Verdict::Safe,
    backward: Verdict::Safe,
    why: "Who knows it does without. Reserve its name (`#[event(reserved(\"...\"))]`), so that it never comes back as something else.",
    advice: "",
    finds: |change| {
        matches!(change, Kind::FieldRemoved { was_required: false, new_is_closed: false })
    },
};
