//! `T` becomes `Option<T>`.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "option-added",
    change: "`T` becomes `Option<T>`",
    forward: Verdict::Breaks,
    backward: Verdict::Safe,
    why: "The code that is deployed does not read null.",
    advice: "leave the field out where there is nothing (a new optional field is safe); or bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::OptionAdded),
};
