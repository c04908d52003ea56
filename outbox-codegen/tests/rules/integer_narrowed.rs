//! See the rule of this name.

use crate::check;

rule! {
    an_integer_becomes_narrower: forward Reads, backward Breaks,
    { pub struct OrderPlaced { a: i64 } }
    => { pub struct OrderPlaced { a: i32 } }

    a_type_that_holds_itself_becomes_narrower: forward Reads, backward Breaks,
    { pub struct OrderPlaced { a: u32, child: Option<Box<OrderPlaced>> } }
    => { pub struct OrderPlaced { a: u8, child: Option<Box<OrderPlaced>> } }

    the_values_of_a_map_become_narrower: forward Reads, backward Breaks,
    { pub struct OrderPlaced { a: BTreeMap<String, u32> } }
    => { pub struct OrderPlaced { a: BTreeMap<String, u8> } }

    the_items_of_a_list_become_narrower: forward Reads, backward Breaks,
    { pub struct OrderPlaced { a: Vec<Vec<u32>> } }
    => { pub struct OrderPlaced { a: Vec<Vec<u8>> } }
}
