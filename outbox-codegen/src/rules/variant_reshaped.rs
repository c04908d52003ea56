//! A unit variant gets data, or the other way round.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "variant-reshaped",
    change: "a unit variant gets data, or the other way round",
    forward: Verdict::Breaks,
    backward: Verdict::Breaks,
    why: "The two are written differently.",
    advice: "add a variant of another name and keep this one for reading; or bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::VariantReshaped { .. }),
};
