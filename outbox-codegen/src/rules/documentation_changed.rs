//! Documentation, or the order of keys, changes.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "documentation-changed",
    change: "documentation, or the order of keys, changes",
    forward: Verdict::Safe,
    backward: Verdict::Safe,
    why: "It says nothing about values.",
    advice: "",
    finds: |change| matches!(change, Kind::Documentation),
};
