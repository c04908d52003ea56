//! An integer with a sign becomes one without, or the other way round.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "integer-sign-changed",
    change: "an integer with a sign becomes one without, or the other way round",
    forward: Verdict::Breaks,
    backward: Verdict::Breaks,
    why: "Each has values that the other one does not read.",
    advice: "bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::IntegerShifted { .. }),
};
