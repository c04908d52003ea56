//! An integer gets a narrower type, as `i64` to `i32`.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "integer-narrowed",
    change: "an integer gets a narrower type, as `i64` to `i32`",
    forward: Verdict::Safe,
    backward: Verdict::Breaks,
    why: "What is in the log may be beyond the new bounds.",
    advice: "bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::IntegerNarrowed { .. }),
};
