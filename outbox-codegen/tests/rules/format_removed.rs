//! See the rule of this name.

use crate::check;

rule! {
    a_time_becomes_a_text: forward Breaks, backward Reads,
    { pub struct OrderPlaced { a: DateTime<Utc> } }
    => { pub struct OrderPlaced { a: String } }
}
