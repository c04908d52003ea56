//! A set becomes a list.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "set-to-list",
    change: "a set becomes a list",
    forward: Verdict::Warns,
    backward: Verdict::Safe,
    why: "An item may now come twice: serde's sets read it once, and other readers refuse it.",
    advice: "make sure that nobody counts the items",
    finds: |change| matches!(change, Kind::SetToList),
};
