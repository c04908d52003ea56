//! An array of fixed length or a tuple becomes a list.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "tuple-to-list",
    change: "an array of fixed length or a tuple becomes a list",
    forward: Verdict::Breaks,
    backward: Verdict::Depends("✓ if the items fit"),
    why: "The code that is deployed reads only as many items as it knows.",
    advice: "bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::TupleToList),
};
