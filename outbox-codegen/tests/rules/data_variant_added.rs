//! See the rule of this name.

use crate::check;

rule! {
    a_data_variant_is_added: forward Breaks, backward Reads,
    { #[serde(tag = "type")] pub enum OrderPlaced { A { a: u32 } } }
    => { #[serde(tag = "type")] pub enum OrderPlaced { A { a: u32 }, B { b: u32 } } }

    a_flattened_enum_gets_a_variant: forward Breaks, backward Reads,
    {
        pub enum Inner { A(u32), B { b: u32 } }
        pub struct OrderPlaced { a: u32, #[serde(flatten)] inner: Inner }
    }
    => {
        pub enum Inner { A(u32), B { b: u32 }, C(String) }
        pub struct OrderPlaced { a: u32, #[serde(flatten)] inner: Inner }
    }
}
