//! `Option<T>` becomes `T`.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "option-removed",
    change: "`Option<T>` becomes `T`",
    forward: Verdict::Safe,
    backward: Verdict::Breaks,
    why: "What is in the log may have null there, or nothing.",
    advice: "keep the `Option`, or read null as a default with `deserialize_with`; or bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::OptionRemoved),
};
