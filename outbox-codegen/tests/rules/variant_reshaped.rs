//! See the rule of this name.

use crate::check;

rule! {
    a_unit_variant_gets_data: forward Breaks, backward Breaks,
    { pub enum OrderPlaced { A, B } }
    => { pub enum OrderPlaced { A, B { b: u32 } } }
}
