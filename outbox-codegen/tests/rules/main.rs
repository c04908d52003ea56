//! Each rule of the gate, with an old and a new type that show it: what the report says is in the file
//! beside it, and serde must agree. (`GOLDENS=overwrite` writes these files.)

mod check;
mod complete;
#[path = "../compat/values.rs"]
mod values;
mod versions;

/// Types with the derives of an event's: `OrderPlaced` is the event.
macro_rules! types {
    () => {};
    ($(#[$meta:meta])* pub struct OrderPlaced { $($body:tt)* } $($rest:tt)*) => {
        #[derive(Event, Serialize, Deserialize, JsonSchema)]
        #[event(name = "order.placed")]
        $(#[$meta])* pub struct OrderPlaced { $($body)* }
        types! { $($rest)* }
    };
    ($(#[$meta:meta])* pub enum OrderPlaced { $($body:tt)* } $($rest:tt)*) => {
        #[derive(Event, Serialize, Deserialize, JsonSchema)]
        #[event(name = "order.placed")]
        $(#[$meta])* pub enum OrderPlaced { $($body)* }
        types! { $($rest)* }
    };
    ($(#[$meta:meta])* pub struct $name:ident { $($body:tt)* } $($rest:tt)*) => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        $(#[$meta])* pub struct $name { $($body)* }
        types! { $($rest)* }
    };
    ($(#[$meta:meta])* pub struct $name:ident ( $($body:tt)* ); $($rest:tt)*) => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        $(#[$meta])* pub struct $name ( $($body)* );
        types! { $($rest)* }
    };
    ($(#[$meta:meta])* pub enum $name:ident { $($body:tt)* } $($rest:tt)*) => {
        #[derive(Serialize, Deserialize, JsonSchema)]
        $(#[$meta])* pub enum $name { $($body)* }
        types! { $($rest)* }
    };
}

/// Changes that a rule is about: whether the old reads what the new writes, and the new what the old
/// wrote.
macro_rules! rule {
    ($(
        $case:ident: forward $forward:ident, backward $backward:ident,
        { $($old:tt)* } => { $($new:tt)* }
    )*) => {
        $(
            #[allow(unused_imports, unreachable_pub, missing_docs)]
            mod $case {
                pub(super) mod old {
                    use crate::check::types::*;
                    types! { $($old)* }
                }
                pub(super) mod new {
                    use crate::check::types::*;
                    types! { $($new)* }
                }
            }
        )*

        #[test]
        fn is_found_and_serde_agrees() {
            let mut shown = String::new();
            $(
                shown.push_str(&check::case::<$case::old::OrderPlaced, $case::new::OrderPlaced>(
                    module_path!(), stringify!($case), check::$forward, check::$backward,
                ));
            )*
            check::golden(module_path!(), &shown);
        }
    };
}

mod any_to_type;
mod bound_loosened;
mod bound_tightened;
mod data_variant_added;
mod data_variant_removed;
mod default_added;
mod default_changed;
mod default_removed;
mod definition_moved;
mod documentation_changed;
mod field_added_to_closed;
mod field_removed_from_closed;
mod field_renamed;
mod flattened_or_nested;
mod format_added;
mod format_removed;
mod integer_narrowed;
mod integer_sign_changed;
mod integer_to_number;
mod integer_widened;
mod items_changed;
mod list_to_set;
mod list_to_tuple;
mod may_be_omitted;
mod newtype_changed;
mod number_to_integer;
mod option_added;
mod option_removed;
mod optional_field_added;
mod optional_field_removed;
mod pattern_changed;
mod required_field_added;
mod required_field_removed;
mod set_to_list;
mod tag_value_changed;
mod tagging_changed;
mod tuple_to_list;
mod type_replaced;
mod type_to_any;
mod unit_variant_added;
mod unit_variant_removed;
mod unknown_fields_allowed;
mod unknown_fields_denied;
mod untagged_reordered;
mod unwrapped_from_list;
mod variant_reshaped;
mod variants_reordered;
mod wrapped_in_list;
