//! A list becomes a set.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "list-to-set",
    change: "a list becomes a set",
    forward: Verdict::Safe,
    backward: Verdict::Warns,
    why: "What is in the log may have an item twice: serde's sets read it once, and other readers refuse it.",
    advice: "make sure that nobody counts the items",
    finds: |change| matches!(change, Kind::ListToSet),
};
