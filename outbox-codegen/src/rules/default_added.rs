//! `serde(default)` is added.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "default-added",
    change: "`serde(default)` is added",
    forward: Verdict::Safe,
    backward: Verdict::Safe,
    why: "More is read than before, and the same is written.",
    advice: "",
    finds: |change| {
        matches!(change, Kind::DefaultAdded | Kind::MayBeOmitted { is_required: false })
    },
};
