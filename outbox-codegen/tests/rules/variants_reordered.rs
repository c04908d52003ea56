//! See the rule of this name.

use crate::check;

rule! {
    variants_are_reordered: forward Reads, backward Reads,
    { #[serde(tag = "t", content = "c")] pub enum OrderPlaced { A { a: u32 }, B(String), C } }
    => { #[serde(tag = "t", content = "c")] pub enum OrderPlaced { C, B(String), A { a: u32 } } }
}
