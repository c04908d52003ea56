//! See the rule of this name.

use crate::check;

rule! {
    empty_texts_are_left_out_from_now_on: forward Breaks, backward Reads,
    { pub struct OrderPlaced { a: String } }
    => {
        pub struct OrderPlaced {
            #[serde(default, skip_serializing_if = "String::is_empty")]
            a: String,
        }
    }
}
