//! See the rule of this name.

use crate::check;

rule! {
    documentation_changes: forward Reads, backward Reads,
    {
        /// An event.
        pub struct OrderPlaced { a: u32, b: u32 }
    }
    => {
        /// What happened.
        pub struct OrderPlaced {
            b: u32,
            /// The number.
            a: u32,
        }
    }
}
