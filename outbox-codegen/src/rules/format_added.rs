//! A text becomes a `Uuid`, a `DateTime` or the like.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "format-added",
    change: "a text becomes a `Uuid`, a `DateTime` or the like",
    forward: Verdict::Safe,
    backward: Verdict::Breaks,
    why: "What is in the log may be any text.",
    advice: "bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::FormatAdded(_)),
};
