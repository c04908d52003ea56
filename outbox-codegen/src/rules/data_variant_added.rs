//! A variant with data is added.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "data-variant-added",
    change: "a variant with data is added",
    forward: Verdict::Breaks,
    backward: Verdict::Safe,
    why: "The code that is deployed does not know it.",
    advice: "bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::VariantAdded { is_unit: false, .. }),
};
