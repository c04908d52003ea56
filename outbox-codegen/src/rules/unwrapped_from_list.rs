//! A list becomes one of its items.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "unwrapped-from-list",
    change: "a list becomes one of its items",
    forward: Verdict::Breaks,
    backward: Verdict::Breaks,
    why: "One is not read as a list of one, nor a list of one as one.",
    advice: "add a field for the one, with a default; or bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::UnwrappedFromList),
};
