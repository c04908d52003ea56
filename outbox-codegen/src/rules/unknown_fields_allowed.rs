//! `deny_unknown_fields` is removed.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "unknown-fields-allowed",
    change: "`deny_unknown_fields` is removed",
    forward: Verdict::Safe,
    backward: Verdict::Safe,
    why: "More is read than before.",
    advice: "",
    finds: |change| matches!(change, Kind::Opened),
};
