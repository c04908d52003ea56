//! A newtype, or a transparent struct, is put around a value or taken away.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "newtype-changed",
    change: "a newtype, or a transparent struct, is put around a value or taken away",
    forward: Verdict::Safe,
    backward: Verdict::Safe,
    why: "It is not on the wire.",
    advice: "",
    finds: |change| matches!(change, Kind::NewtypeChanged),
};
