//! A pattern changes.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "pattern-changed",
    change: "a pattern changes",
    forward: Verdict::Breaks,
    backward: Verdict::Breaks,
    why: "Whether one pattern includes another is not decided; there is a text for one that the other refuses.",
    advice: "bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::PatternChanged),
};
