//! See the rule of this name.

use crate::check;

rule! {
    unknown_fields_are_no_longer_denied: forward Reads, backward Reads,
    { #[serde(deny_unknown_fields)] pub struct OrderPlaced { a: u32 } }
    => { pub struct OrderPlaced { a: u32 } }
}
