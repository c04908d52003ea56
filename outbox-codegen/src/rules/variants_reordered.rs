//! Variants are reordered.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "variants-reordered",
    change: "variants are reordered",
    forward: Verdict::Safe,
    backward: Verdict::Safe,
    why: "Variants are found by their names.",
    advice: "",
    finds: |change| matches!(change, Kind::Reordered),
};
