//! See the rule of this name.

use crate::check;

rule! {
    a_unit_variant_is_removed: forward Reads, backward Breaks,
    { pub enum OrderPlaced { A, B } }
    => { pub enum OrderPlaced { A } }
}
