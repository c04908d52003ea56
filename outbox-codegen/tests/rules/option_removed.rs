//! See the rule of this name.

use crate::check;

rule! {
    an_option_becomes_required: forward Reads, backward Breaks,
    { pub struct OrderPlaced { a: Option<u32> } }
    => { pub struct OrderPlaced { a: u32 } }
}
