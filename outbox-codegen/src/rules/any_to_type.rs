//! Any JSON becomes a type.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "any-to-type",
    change: "any JSON becomes a type",
    forward: Verdict::Safe,
    backward: Verdict::Breaks,
    why: "What is in the log may be anything.",
    advice: "bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::FromAny { .. }),
};
