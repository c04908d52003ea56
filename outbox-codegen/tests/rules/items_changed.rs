//! See the rule of this name.

use crate::check;

rule! {
    the_items_of_a_list_get_an_optional_field: forward Reads, backward Reads,
    {
        pub struct Line { product: String }
        pub struct OrderPlaced { lines: Vec<Line> }
    }
    => {
        pub struct Line { product: String, note: Option<String> }
        pub struct OrderPlaced { lines: Vec<Line> }
    }

    the_values_of_a_map_get_a_default: forward Reads, backward Reads,
    {
        pub struct Price { cents: i64 }
        pub struct OrderPlaced { prices: BTreeMap<String, Price> }
    }
    => {
        pub struct Price { #[serde(default)] cents: i64 }
        pub struct OrderPlaced { prices: BTreeMap<String, Price> }
    }
}
