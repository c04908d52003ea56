//! An integer gets a wider type, as `i32` to `i64`.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "integer-widened",
    change: "an integer gets a wider type, as `i32` to `i64`",
    forward: Verdict::Breaks,
    backward: Verdict::Safe,
    why: "The code that is deployed does not read what is beyond its bounds.",
    advice: "bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::IntegerWidened { .. }),
};
