//! The tagging of an enum changes: its style, tag or content.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "tagging-changed",
    change: "the tagging of an enum changes: its style, tag or content",
    forward: Verdict::Breaks,
    backward: Verdict::Breaks,
    why: "The same variant is written differently.",
    advice: "bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::Retagged { .. }),
};
