//! See the rule of this name.

use crate::check;

rule! {
    a_struct_is_renamed_and_moved: forward Reads, backward Reads,
    { pub struct Inner { b: u32 } pub struct OrderPlaced { a: Inner, c: Vec<Inner> } }
    => {
        pub struct Other { b: u32 }
        pub struct Another { b: u32 }
        pub struct OrderPlaced { a: Other, c: Vec<Another> }
    }
}
