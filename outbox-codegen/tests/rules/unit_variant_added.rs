//! See the rule of this name.

use crate::check;

rule! {
    a_unit_variant_is_added: forward Breaks, backward Reads,
    { pub enum OrderPlaced { A, B } }
    => { pub enum OrderPlaced { A, B, C } }

    a_documented_unit_variant_is_added: forward Breaks, backward Reads,
    { pub enum OrderPlaced { A, B } }
    => {
        pub enum OrderPlaced {
            A,
            B,
            /// New.
            C,
        }
    }

    a_unit_variant_is_added_and_the_old_reader_has_other: forward Reads, backward Reads,
    { pub enum OrderPlaced { A, B, #[serde(other)] Other } }
    => { pub enum OrderPlaced { A, B, C, #[serde(other)] Other } }

    a_unit_variant_is_added_to_a_tagged_enum_with_other: forward Reads, backward Reads,
    { #[serde(tag = "type")] pub enum OrderPlaced { A { a: u32 }, #[serde(other)] Other } }
    => { #[serde(tag = "type")] pub enum OrderPlaced { A { a: u32 }, C, #[serde(other)] Other } }
}
