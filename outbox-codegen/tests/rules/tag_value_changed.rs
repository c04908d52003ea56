//! See the rule of this name.

use crate::check;

rule! {
    the_value_of_a_tag_changes: forward Breaks, backward Breaks,
    { #[serde(tag = "type")] pub enum OrderPlaced { A { a: u32 } } }
    => { #[serde(tag = "type")] pub enum OrderPlaced { #[serde(rename = "a")] A { a: u32 } } }

    the_value_of_a_tag_changes_with_an_alias: forward Breaks, backward Reads,
    { #[serde(tag = "type")] pub enum OrderPlaced { A { a: u32 }, B } }
    => { #[serde(tag = "type")] pub enum OrderPlaced { #[serde(rename = "a", alias = "A")] A { a: u32 }, B } }
}
