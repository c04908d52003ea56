//! A `Uuid`, a `DateTime` or the like becomes a text.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "format-removed",
    change: "a `Uuid`, a `DateTime` or the like becomes a text",
    forward: Verdict::Breaks,
    backward: Verdict::Safe,
    why: "The code that is deployed reads no other text.",
    advice: "bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::FormatRemoved(_)),
};
