//! See the rule of this name.

use crate::check;

rule! {
    a_field_is_renamed: forward Breaks, backward Breaks,
    { pub struct OrderPlaced { order_id: u32 } }
    => { pub struct OrderPlaced { order: u32 } }

    all_fields_are_renamed: forward Breaks, backward Breaks,
    { pub struct OrderPlaced { order_id: u32 } }
    => { #[serde(rename_all = "camelCase")] pub struct OrderPlaced { order_id: u32 } }

    a_field_is_renamed_with_an_alias: forward Breaks, backward Reads,
    { pub struct OrderPlaced { order_id: u32 } }
    => { pub struct OrderPlaced { #[serde(alias = "order_id")] order: u32 } }
}
