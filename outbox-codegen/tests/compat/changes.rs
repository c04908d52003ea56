//! Changes of Rust types, and what they mean for readers: from the schemas of the types, and with the
//! types themselves, which must agree.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use outbox_codegen::compat::{Answer, compare};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::values;

/// What becomes of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// Everything is read.
    Reads,
    /// Not everything is, and serde refuses the witness.
    Breaks,
    /// Not everything is, by the schema: serde does not look at this.
    BreaksBySchema,
}
use Expected::{Breaks, BreaksBySchema, Reads};

fn written<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
}

fn read<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_deserialize().into_generator().into_root_schema_for::<T>()
}

/// Compares what `W` writes with what `R` reads.
fn check<W, R>(direction: &str, expected: Expected)
where
    W: JsonSchema + Serialize + DeserializeOwned,
    R: JsonSchema + DeserializeOwned,
{
    let writer: Value = written::<W>().into();
    let reader: Value = read::<R>().into();
    let shown = || format!("{direction}\nwriter {writer:#}\nreader {reader:#}");
    let answer = compare(writer.clone(), reader.clone()).expect("two schemas");
    match (answer, expected) {
        (Answer::Holds, Reads) => {
            let mut tried = 0;
            for value in values::of(&writer, 200) {
                // What the type itself writes.
                let Ok(typed) = serde_json::from_value::<W>(value) else { continue };
                let value = serde_json::to_value(&typed).expect("JSON");
                if let Err(error) = serde_json::from_value::<R>(value.clone()) {
                    panic!("serde does not read {value}: {error}; {}", shown());
                }
                tried += 1;
            }
            assert!(tried > 0, "no value was tried; {}", shown());
        }
        (Answer::Breaks(breaks), Breaks | BreaksBySchema) => {
            for one in breaks {
                let witness = &one.witness;
                let typed = serde_json::from_value::<W>(witness.clone());
                assert!(typed.is_ok(), "{witness} is not written; {}", shown());
                let refused = serde_json::from_value::<R>(witness.clone()).is_err();
                assert_eq!(refused, expected == Breaks, "{one}: {witness}; {}", shown());
            }
        }
        (answer, _) => panic!("{expected:?}, and not {answer:?}; {}", shown()),
    }
}

fn one() -> u32 {
    1
}

fn two() -> u32 {
    2
}

/// A change of the type `Event`: whether the old reads what the new writes, and the new what the old
/// wrote.
macro_rules! changes {
    ($(
        $name:ident: forward $forward:ident, backward $backward:ident,
        { $($old:item)* } => { $($new:item)* }
    )*) => {$(
        #[test]
        fn $name() {
            #[allow(unused_imports)]
            mod old {
                use super::*;
                $(#[derive(Serialize, Deserialize, JsonSchema)] $old)*
            }
            #[allow(unused_imports)]
            mod new {
                use super::*;
                $(#[derive(Serialize, Deserialize, JsonSchema)] $new)*
            }
            check::<new::Event, old::Event>("forward", $forward);
            check::<old::Event, new::Event>("backward", $backward);
        }
    )*};
}

changes! {
    an_optional_field_is_added: forward Reads, backward Reads,
    { pub(crate) struct Event { a: u32 } } => { pub(crate) struct Event { a: u32, b: Option<u32> } }

    a_defaulted_field_is_added: forward Reads, backward Reads,
    { pub(crate) struct Event { a: u32 } } => { pub(crate) struct Event { a: u32, #[serde(default)] b: u32 } }

    a_required_field_is_added: forward Reads, backward Breaks,
    { pub(crate) struct Event { a: u32 } } => { pub(crate) struct Event { a: u32, b: String } }

    a_field_is_added_and_the_old_reader_denies_unknown_fields: forward Breaks, backward Reads,
    { #[serde(deny_unknown_fields)] pub(crate) struct Event { a: u32 } }
    => { pub(crate) struct Event { a: u32, b: Option<u32> } }

    a_required_field_is_removed: forward Breaks, backward Reads,
    { pub(crate) struct Event { a: u32, b: u32 } } => { pub(crate) struct Event { a: u32 } }

    an_optional_field_is_removed: forward Reads, backward Reads,
    { pub(crate) struct Event { a: u32, b: Option<u32> } } => { pub(crate) struct Event { a: u32 } }

    a_field_is_removed_and_the_new_reader_denies_unknown_fields: forward Reads, backward Breaks,
    { pub(crate) struct Event { a: u32, b: Option<u32> } }
    => { #[serde(deny_unknown_fields)] pub(crate) struct Event { a: u32 } }

    a_removed_name_comes_back_with_another_type: forward Breaks, backward Breaks,
    { pub(crate) struct Event { a: u32, coupon: Option<String> } }
    => { pub(crate) struct Event { a: u32, coupon: Option<u32> } }

    an_option_becomes_required: forward Reads, backward Breaks,
    { pub(crate) struct Event { a: Option<u32> } } => { pub(crate) struct Event { a: u32 } }

    a_required_field_becomes_an_option: forward Breaks, backward Reads,
    { pub(crate) struct Event { a: u32 } } => { pub(crate) struct Event { a: Option<u32> } }

    empty_texts_are_left_out_from_now_on: forward Breaks, backward Reads,
    { pub(crate) struct Event { a: String } }
    => {
        pub(crate) struct Event {
            #[serde(default, skip_serializing_if = "String::is_empty")]
            a: String,
        }
    }

    a_default_is_added: forward Reads, backward Reads,
    { pub(crate) struct Event { a: u32 } } => { pub(crate) struct Event { #[serde(default)] a: u32 } }

    a_default_is_removed: forward Reads, backward Reads,
    { pub(crate) struct Event { #[serde(default)] a: u32 } } => { pub(crate) struct Event { a: u32 } }

    a_default_is_removed_and_the_old_left_it_out: forward Reads, backward Breaks,
    {
        pub(crate) struct Event {
            #[serde(default, skip_serializing_if = "String::is_empty")]
            a: String,
        }
    }
    => { pub(crate) struct Event { a: String } }

    a_default_value_changes: forward Reads, backward Reads,
    { pub(crate) struct Event { #[serde(default = "one")] a: u32 } }
    => { pub(crate) struct Event { #[serde(default = "two")] a: u32 } }

    a_type_is_replaced: forward Breaks, backward Breaks,
    { pub(crate) struct Event { a: u32 } } => { pub(crate) struct Event { a: String } }

    an_integer_becomes_a_number: forward Breaks, backward Reads,
    { pub(crate) struct Event { a: i64 } } => { pub(crate) struct Event { a: f64 } }

    a_number_becomes_an_integer: forward Reads, backward Breaks,
    { pub(crate) struct Event { a: f64 } } => { pub(crate) struct Event { a: i64 } }

    an_integer_becomes_wider: forward Breaks, backward Reads,
    { pub(crate) struct Event { a: i32 } } => { pub(crate) struct Event { a: i64 } }

    an_integer_becomes_narrower: forward Reads, backward Breaks,
    { pub(crate) struct Event { a: i64 } } => { pub(crate) struct Event { a: i32 } }

    an_unsigned_integer_becomes_wider: forward Breaks, backward Reads,
    { pub(crate) struct Event { a: u32 } } => { pub(crate) struct Event { a: u64 } }

    an_integer_loses_its_sign: forward Breaks, backward Breaks,
    { pub(crate) struct Event { a: i32 } } => { pub(crate) struct Event { a: u32 } }

    the_largest_integers_have_no_common_bound: forward Breaks, backward Breaks,
    { pub(crate) struct Event { a: i64 } } => { pub(crate) struct Event { a: u64 } }

    a_bound_is_added: forward Reads, backward BreaksBySchema,
    { pub(crate) struct Event { a: u32 } } => { pub(crate) struct Event { #[schemars(range(max = 9))] a: u32 } }

    a_bound_is_removed: forward BreaksBySchema, backward Reads,
    { pub(crate) struct Event { #[schemars(length(min = 1))] a: String } } => { pub(crate) struct Event { a: String } }

    a_pattern_changes: forward BreaksBySchema, backward BreaksBySchema,
    { pub(crate) struct Event { #[schemars(regex(pattern = "^a"))] a: String } }
    => { pub(crate) struct Event { #[schemars(regex(pattern = "^b"))] a: String } }

    a_text_becomes_a_uuid: forward Reads, backward Breaks,
    { pub(crate) struct Event { a: String } } => { pub(crate) struct Event { a: Uuid } }

    a_time_becomes_a_text: forward Breaks, backward Reads,
    { pub(crate) struct Event { a: DateTime<Utc> } } => { pub(crate) struct Event { a: String } }

    a_unit_variant_is_added: forward Breaks, backward Reads,
    { pub(crate) enum Event { A, B } } => { pub(crate) enum Event { A, B, C } }

    a_documented_unit_variant_is_added: forward Breaks, backward Reads,
    { pub(crate) enum Event { A, B } }
    => {
        pub(crate) enum Event {
            A,
            B,
            /// New.
            C,
        }
    }

    a_unit_variant_is_removed: forward Reads, backward Breaks,
    { pub(crate) enum Event { A, B } } => { pub(crate) enum Event { A } }

    a_data_variant_is_added: forward Breaks, backward Reads,
    { #[serde(tag = "type")] pub(crate) enum Event { A { a: u32 } } }
    => { #[serde(tag = "type")] pub(crate) enum Event { A { a: u32 }, B { b: u32 } } }

    a_data_variant_is_removed: forward Reads, backward Breaks,
    { pub(crate) enum Event { A { a: u32 }, B(u32) } } => { pub(crate) enum Event { B(u32) } }

    a_unit_variant_gets_data: forward Breaks, backward Breaks,
    { pub(crate) enum Event { A, B } } => { pub(crate) enum Event { A, B { b: u32 } } }

    variants_are_reordered: forward Reads, backward Reads,
    { #[serde(tag = "t", content = "c")] pub(crate) enum Event { A { a: u32 }, B(String), C } }
    => { #[serde(tag = "t", content = "c")] pub(crate) enum Event { C, B(String), A { a: u32 } } }

    untagged_variants_are_reordered: forward Reads, backward Reads,
    { #[serde(untagged)] pub(crate) enum Event { A { a: u32 }, B(u32) } }
    => { #[serde(untagged)] pub(crate) enum Event { B(u32), A { a: u32 } } }

    a_field_is_renamed: forward Breaks, backward Breaks,
    { pub(crate) struct Event { order_id: u32 } } => { pub(crate) struct Event { order: u32 } }

    all_fields_are_renamed: forward Breaks, backward Breaks,
    { pub(crate) struct Event { order_id: u32 } }
    => { #[serde(rename_all = "camelCase")] pub(crate) struct Event { order_id: u32 } }

    the_tagging_style_changes: forward Breaks, backward Breaks,
    { #[serde(tag = "type")] pub(crate) enum Event { A { a: u32 } } } => { pub(crate) enum Event { A { a: u32 } } }

    the_tag_changes: forward Breaks, backward Breaks,
    { #[serde(tag = "type")] pub(crate) enum Event { A { a: u32 } } }
    => { #[serde(tag = "kind")] pub(crate) enum Event { A { a: u32 } } }

    the_content_changes: forward Breaks, backward Breaks,
    { #[serde(tag = "type", content = "data")] pub(crate) enum Event { A(u32) } }
    => { #[serde(tag = "type", content = "value")] pub(crate) enum Event { A(u32) } }

    the_value_of_a_tag_changes: forward Breaks, backward Breaks,
    { #[serde(tag = "type")] pub(crate) enum Event { A { a: u32 } } }
    => { #[serde(tag = "type")] pub(crate) enum Event { #[serde(rename = "a")] A { a: u32 } } }

    unknown_fields_are_denied: forward Reads, backward Reads,
    { pub(crate) struct Event { a: u32 } } => { #[serde(deny_unknown_fields)] pub(crate) struct Event { a: u32 } }

    unknown_fields_are_no_longer_denied: forward Reads, backward Reads,
    { #[serde(deny_unknown_fields)] pub(crate) struct Event { a: u32 } } => { pub(crate) struct Event { a: u32 } }

    the_values_of_a_map_become_narrower: forward Reads, backward Breaks,
    { pub(crate) struct Event { a: BTreeMap<String, u32> } }
    => { pub(crate) struct Event { a: BTreeMap<String, u8> } }

    the_items_of_a_list_become_narrower: forward Reads, backward Breaks,
    { pub(crate) struct Event { a: Vec<Vec<u32>> } } => { pub(crate) struct Event { a: Vec<Vec<u8>> } }

    a_list_becomes_an_array: forward Reads, backward Breaks,
    { pub(crate) struct Event { a: Vec<u32> } } => { pub(crate) struct Event { a: [u32; 2] } }

    a_list_becomes_a_tuple: forward Reads, backward Breaks,
    { pub(crate) struct Event { a: Vec<u32> } } => { pub(crate) struct Event { a: (u32, u8) } }

    a_list_becomes_a_set: forward Reads, backward BreaksBySchema,
    { pub(crate) struct Event { a: Vec<u32> } } => { pub(crate) struct Event { a: BTreeSet<u32> } }

    a_value_becomes_a_list: forward Breaks, backward Breaks,
    { pub(crate) struct Event { a: u32 } } => { pub(crate) struct Event { a: Vec<u32> } }

    a_type_becomes_any_json: forward Breaks, backward Reads,
    { pub(crate) struct Event { a: u32 } } => { pub(crate) struct Event { a: Value } }

    any_json_becomes_a_type: forward Reads, backward Breaks,
    { pub(crate) struct Event { a: Value } } => { pub(crate) struct Event { a: u32 } }

    nested_fields_are_flattened: forward Breaks, backward Breaks,
    { pub(crate) struct Inner { b: u32 } pub(crate) struct Event { a: u32, inner: Inner } }
    => { pub(crate) struct Inner { b: u32 } pub(crate) struct Event { a: u32, #[serde(flatten)] inner: Inner } }

    a_struct_is_renamed_and_moved: forward Reads, backward Reads,
    { pub(crate) struct Inner { b: u32 } pub(crate) struct Event { a: Inner, c: Vec<Inner> } }
    => {
        pub(crate) struct Other { b: u32 }
        pub(crate) struct Another { b: u32 }
        pub(crate) struct Event { a: Other, c: Vec<Another> }
    }

    a_newtype_is_put_around: forward Reads, backward Reads,
    { pub(crate) struct Event { a: u32 } } => { pub(crate) struct Id(u32); pub(crate) struct Event { a: Id } }

    documentation_changes: forward Reads, backward Reads,
    {
        /// An event.
        pub(crate) struct Event { a: u32, b: u32 }
    }
    => {
        /// What happened.
        pub(crate) struct Event {
            b: u32,
            /// The number.
            a: u32,
        }
    }

    a_type_that_holds_itself_stays: forward Reads, backward Reads,
    { pub(crate) struct Event { a: u32, children: Vec<Event> } }
    => { pub(crate) struct Event { a: u32, children: Vec<Event>, note: Option<String> } }

    a_type_that_holds_itself_becomes_narrower: forward Reads, backward Breaks,
    { pub(crate) struct Event { a: u32, child: Option<Box<Event>> } }
    => { pub(crate) struct Event { a: u8, child: Option<Box<Event>> } }

    a_flattened_enum_gets_a_variant: forward Breaks, backward Reads,
    {
        pub(crate) enum Inner { A(u32), B { b: u32 } }
        pub(crate) struct Event { a: u32, #[serde(flatten)] inner: Inner }
    }
    => {
        pub(crate) enum Inner { A(u32), B { b: u32 }, C(String) }
        pub(crate) struct Event { a: u32, #[serde(flatten)] inner: Inner }
    }
}
