//! A list becomes an array of fixed length or a tuple.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "list-to-tuple",
    change: "a list becomes an array of fixed length or a tuple",
    forward: Verdict::Depends("✓ if the items fit"),
    backward: Verdict::Breaks,
    why: "What is in the log may have more items, or fewer.",
    advice: "bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::ListToTuple),
};
