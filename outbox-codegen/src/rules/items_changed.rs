//! Something changes inside a list's items or a map's values.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "items-changed",
    change: "something changes inside a list's items or a map's values",
    forward: Verdict::Depends("as the change inside"),
    backward: Verdict::Depends("as the change inside"),
    why: "A list is read if each of its items is.",
    advice: "bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::ItemsChanged),
};
