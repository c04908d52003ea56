//! The value of a default changes.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "default-changed",
    change: "the value of a default changes",
    forward: Verdict::Warns,
    backward: Verdict::Warns,
    why: "What does not have the field is read as something else than before.",
    advice: "make sure that nobody relies on the old default for what is in the log",
    finds: |change| matches!(change, Kind::DefaultChanged { .. }),
};
