//! See the rule of this name.

use crate::check;

rule! {
    a_text_becomes_a_uuid: forward Reads, backward Breaks,
    { pub struct OrderPlaced { a: String } }
    => { pub struct OrderPlaced { a: Uuid } }
}
