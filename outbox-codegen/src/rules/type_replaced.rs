//! A type is replaced by another one.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "type-replaced",
    change: "a type is replaced by another one",
    forward: Verdict::Breaks,
    backward: Verdict::Breaks,
    why: "Neither reads the other one's values.",
    advice: "add a field of the new type with a default and write both for a while; or bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::TypeReplaced { .. }),
};
