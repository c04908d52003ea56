//! A change that no other rule names.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "other-change",
    change: "a change that no other rule names",
    forward: Verdict::Depends("as the proof says"),
    backward: Verdict::Depends("as the proof says"),
    why: "The schemas differ in a way that these rules have no word for.",
    advice: "bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::Other),
};
