//! A bound is added or tightened.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "bound-tightened",
    change: "a bound is added or tightened",
    forward: Verdict::Safe,
    backward: Verdict::Breaks,
    why: "What is in the log may be beyond it.",
    advice: "check the bound where the value is made, not where it is read; or bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::BoundsTightened),
};
