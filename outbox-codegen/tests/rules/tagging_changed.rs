//! See the rule of this name.

use crate::check;

rule! {
    the_tagging_style_changes: forward Breaks, backward Breaks,
    { #[serde(tag = "type")] pub enum OrderPlaced { A { a: u32 } } }
    => { pub enum OrderPlaced { A { a: u32 } } }

    the_tag_changes: forward Breaks, backward Breaks,
    { #[serde(tag = "type")] pub enum OrderPlaced { A { a: u32 } } }
    => { #[serde(tag = "kind")] pub enum OrderPlaced { A { a: u32 } } }

    the_content_changes: forward Breaks, backward Breaks,
    { #[serde(tag = "type", content = "data")] pub enum OrderPlaced { A(u32) } }
    => { #[serde(tag = "type", content = "value")] pub enum OrderPlaced { A(u32) } }
}
