//! `serde(default)` is removed.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "default-removed",
    change: "`serde(default)` is removed",
    forward: Verdict::Safe,
    backward: Verdict::Depends("✗ if the old may omit it"),
    why: "What is in the log may not have it.",
    advice: "keep the default; or bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::DefaultRemoved),
};
