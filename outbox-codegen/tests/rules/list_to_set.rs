//! See the rule of this name.

use crate::check;

rule! {
    a_list_becomes_a_set: forward Reads, backward Reads,
    { pub struct OrderPlaced { a: Vec<u32> } }
    => { pub struct OrderPlaced { a: BTreeSet<u32> } }
}
