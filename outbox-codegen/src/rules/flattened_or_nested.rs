//! Fields are flattened into the struct, or nested in one of their own.

use super::{Rule, Verdict};
use crate::changes::Kind;

pub(crate) static RULE: Rule = Rule {
    id: "flattened-or-nested",
    change: "fields are flattened into the struct, or nested in one of their own",
    forward: Verdict::Breaks,
    backward: Verdict::Breaks,
    why: "To a reader the fields are gone from where they were.",
    advice: "keep the fields where they are on the wire (`#[serde(flatten)]`); or bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |change| matches!(change, Kind::FlattenedOrNested { .. }),
};
