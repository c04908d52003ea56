//! See the rule of this name.

use crate::check;

rule! {
    an_optional_field_is_added: forward Reads, backward Reads,
    { pub struct OrderPlaced { a: u32 } }
    => { pub struct OrderPlaced { a: u32, b: Option<u32> } }

    a_defaulted_field_is_added: forward Reads, backward Reads,
    { pub struct OrderPlaced { a: u32 } }
    => { pub struct OrderPlaced { a: u32, #[serde(default)] b: u32 } }

    a_type_that_holds_itself_stays: forward Reads, backward Reads,
    { pub struct OrderPlaced { a: u32, children: Vec<OrderPlaced> } }
    => { pub struct OrderPlaced { a: u32, children: Vec<OrderPlaced>, note: Option<String> } }
}
