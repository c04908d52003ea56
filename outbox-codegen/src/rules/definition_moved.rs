//! A type is renamed, moved or put in its place.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "definition-moved",
    change: "a type is renamed, moved or put in its place",
    forward: Verdict::Safe,
    backward: Verdict::Safe,
    why: "Names of Rust types are not on the wire.",
    advice: "",
    finds: |change| matches!(change, Kind::DefinitionMoved),
};
