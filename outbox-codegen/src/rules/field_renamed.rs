//! A field is renamed (`rename`, `rename_all`).

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "field-renamed",
    change: "a field is renamed (`rename`, `rename_all`)",
    forward: Verdict::Breaks,
    backward: Verdict::Depends("✗ (✓ with an alias)"),
    why: "To a reader the old name is gone and the new one unknown.",
    advice: "keep the name on the wire with `#[serde(rename = \"...\")]`; or bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::FieldRenamed { .. }),
};
