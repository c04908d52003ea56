//! See the rule of this name.

use crate::check;

rule! {
    a_newtype_is_put_around: forward Reads, backward Reads,
    { pub struct OrderPlaced { a: u32 } }
    => { pub struct Id(u32); pub struct OrderPlaced { a: Id } }
}
