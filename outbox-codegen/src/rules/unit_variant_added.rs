//! A unit variant is added.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "unit-variant-added",
    change: "a unit variant is added",
    forward: Verdict::Depends("✗ (✓ if the old reader has `other`)"),
    backward: Verdict::Safe,
    why: "The code that is deployed does not know it.",
    advice: "give the enum a variant with `#[serde(other)]` and release that first; or bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::VariantAdded { is_unit: true, .. }),
};
