//! A number becomes an integer.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "number-to-integer",
    change: "a number becomes an integer",
    forward: Verdict::Safe,
    backward: Verdict::Breaks,
    why: "What is in the log may have fractions.",
    advice: "bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::NumberToInteger),
};
