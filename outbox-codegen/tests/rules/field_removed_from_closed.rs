//! See the rule of this name.

use crate::check;

rule! {
    a_field_is_removed_and_the_new_reader_denies_unknown_fields: forward Reads, backward Breaks,
    { pub struct OrderPlaced { a: u32, b: Option<u32> } }
    => { #[serde(deny_unknown_fields)] pub struct OrderPlaced { a: u32 } }
}
