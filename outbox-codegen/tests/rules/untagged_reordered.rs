//! See the rule of this name.

use crate::check;

rule! {
    untagged_variants_are_reordered: forward Reads, backward Reads,
    { #[serde(untagged)] pub enum OrderPlaced { A { a: u32 }, B(u32) } }
    => { #[serde(untagged)] pub enum OrderPlaced { B(u32), A { a: u32 } } }
}
