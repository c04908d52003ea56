//! `deny_unknown_fields` is added.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "unknown-fields-denied",
    change: "`deny_unknown_fields` is added",
    forward: Verdict::Safe,
    backward: Verdict::Depends("✗ if an old field is gone"),
    why: "What is in the log may have fields that were removed since.",
    advice: "leave it out: a reader that ignores what it does not know can be deployed after the writer",
    finds: |change| matches!(change, Kind::Closed),
};
