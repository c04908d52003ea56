//! See the rule of this name.

use crate::check;

rule! {
    a_default_is_removed: forward Reads, backward Reads,
    { pub struct OrderPlaced { #[serde(default)] a: u32 } }
    => { pub struct OrderPlaced { a: u32 } }

    a_default_is_removed_and_the_old_left_it_out: forward Reads, backward Breaks,
    {
        pub struct OrderPlaced {
            #[serde(default, skip_serializing_if = "String::is_empty")]
            a: String,
        }
    }
    => { pub struct OrderPlaced { a: String } }
}
