//! See the rule of this name.

use crate::check;

rule! {
    a_field_is_added_and_the_old_reader_denies_unknown_fields: forward Breaks, backward Reads,
    { #[serde(deny_unknown_fields)] pub struct OrderPlaced { a: u32 } }
    => { pub struct OrderPlaced { a: u32, b: Option<u32> } }

    a_required_field_is_added_and_the_old_reader_denies_unknown_fields: forward Breaks, backward Breaks,
    { #[serde(deny_unknown_fields)] pub struct OrderPlaced { a: u32 } }
    => { pub struct OrderPlaced { a: u32, b: u32 } }
}
