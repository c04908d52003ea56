//! A type becomes any JSON.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "type-to-any",
    change: "a type becomes any JSON",
    forward: Verdict::Breaks,
    backward: Verdict::Safe,
    why: "The code that is deployed reads its type only.",
    advice: "bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::ToAny { .. }),
};
