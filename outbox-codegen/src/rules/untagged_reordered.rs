//! The variants of an untagged enum are reordered.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "untagged-reordered",
    change: "the variants of an untagged enum are reordered",
    forward: Verdict::Warns,
    backward: Verdict::Warns,
    why: "The first variant that fits is read: what fits two is now read as the other one.",
    advice: "make sure that no value fits two variants",
    finds: |change| matches!(change, Kind::UntaggedReordered),
};
