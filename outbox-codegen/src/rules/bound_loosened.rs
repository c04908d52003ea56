//! A bound is removed or loosened.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "bound-loosened",
    change: "a bound is removed or loosened",
    forward: Verdict::Breaks,
    backward: Verdict::Safe,
    why: "The code that is deployed refuses what is beyond the old one.",
    advice: "bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::BoundsLoosened),
};
