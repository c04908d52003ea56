//! See the rule of this name.

use crate::check;

rule! {
    a_set_becomes_a_list: forward Reads, backward Reads,
    { pub struct OrderPlaced { a: BTreeSet<u32> } }
    => { pub struct OrderPlaced { a: Vec<u32> } }
}
