//! See the rule of this name.

use crate::check;

rule! {
    a_type_is_replaced: forward Breaks, backward Breaks,
    { pub struct OrderPlaced { a: u32 } }
    => { pub struct OrderPlaced { a: String } }

    a_removed_name_comes_back_with_another_type: forward Breaks, backward Breaks,
    { pub struct OrderPlaced { a: u32, coupon: Option<String> } }
    => { pub struct OrderPlaced { a: u32, coupon: Option<u32> } }
}
