//! See the rule of this name.

use crate::check;

rule! {
    a_data_variant_is_removed: forward Reads, backward Breaks,
    { pub enum OrderPlaced { A { a: u32 }, B(u32) } }
    => { pub enum OrderPlaced { B(u32) } }
}
