//! A value becomes a list of such values.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "wrapped-in-list",
    change: "a value becomes a list of such values",
    forward: Verdict::Breaks,
    backward: Verdict::Breaks,
    why: "One is not read as a list of one, nor a list of one as one.",
    advice: "add a field for the list, with a default; or bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::WrappedInList),
};
