//! A unit variant is removed.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "unit-variant-removed",
    change: "a unit variant is removed",
    forward: Verdict::Safe,
    backward: Verdict::Breaks,
    why: "What is in the log may have it.",
    advice: "keep the variant for reading; or bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::VariantRemoved { was_unit: true, .. }),
};
