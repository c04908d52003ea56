//! An integer becomes a number.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "integer-to-number",
    change: "an integer becomes a number",
    forward: Verdict::Breaks,
    backward: Verdict::Safe,
    why: "The code that is deployed reads no fractions.",
    advice: "bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::IntegerToNumber),
};
