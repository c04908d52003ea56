//! The rules of the gate: one file for each kind of change that has a name. A rule says what the change
//! is, what becomes of those who read, and what to do. Whether something really breaks is not its
//! business: that is proved, or shown with a value, by [`crate::compat`].

mod any_to_type;
mod bound_loosened;
mod bound_tightened;
mod data_variant_added;
mod data_variant_removed;
mod default_added;
mod default_changed;
mod default_removed;
mod definition_moved;
pub(crate) mod documentation_changed;
pub(crate) mod event_removed;
pub(crate) mod event_renamed;
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
pub(crate) mod key_changed;
mod list_to_set;
mod list_to_tuple;
mod may_be_omitted;
mod newtype_changed;
mod number_to_integer;
mod option_added;
mod option_removed;
mod optional_field_added;
mod optional_field_removed;
pub(crate) mod other_change;
mod pattern_changed;
pub(crate) mod removed_name_returns;
mod required_field_added;
mod required_field_removed;
mod set_to_list;
mod tag_value_changed;
mod tagging_changed;
mod tuple_to_list;
mod type_replaced;
mod type_to_any;
pub(crate) mod unhandled;
mod unit_variant_added;
mod unit_variant_removed;
mod unknown_fields_allowed;
mod unknown_fields_denied;
mod untagged_reordered;
mod unwrapped_from_list;
mod variant_reshaped;
mod variants_reordered;
pub(crate) mod version_removed;
pub(crate) mod version_without_upcast;
mod wrapped_in_list;

use crate::changes::Kind;

/// Every rule, in the order of the documentation.
pub static RULES: &[&Rule] = &[
    &optional_field_added::RULE,
    &required_field_added::RULE,
    &field_added_to_closed::RULE,
    &required_field_removed::RULE,
    &optional_field_removed::RULE,
    &field_removed_from_closed::RULE,
    &removed_name_returns::RULE,
    &option_removed::RULE,
    &option_added::RULE,
    &may_be_omitted::RULE,
    &default_added::RULE,
    &default_removed::RULE,
    &default_changed::RULE,
    &type_replaced::RULE,
    &integer_to_number::RULE,
    &number_to_integer::RULE,
    &integer_widened::RULE,
    &integer_narrowed::RULE,
    &integer_sign_changed::RULE,
    &bound_tightened::RULE,
    &bound_loosened::RULE,
    &pattern_changed::RULE,
    &format_added::RULE,
    &format_removed::RULE,
    &unit_variant_added::RULE,
    &unit_variant_removed::RULE,
    &data_variant_added::RULE,
    &data_variant_removed::RULE,
    &variant_reshaped::RULE,
    &variants_reordered::RULE,
    &untagged_reordered::RULE,
    &field_renamed::RULE,
    &tagging_changed::RULE,
    &tag_value_changed::RULE,
    &unknown_fields_denied::RULE,
    &unknown_fields_allowed::RULE,
    &items_changed::RULE,
    &list_to_tuple::RULE,
    &tuple_to_list::RULE,
    &list_to_set::RULE,
    &set_to_list::RULE,
    &wrapped_in_list::RULE,
    &unwrapped_from_list::RULE,
    &type_to_any::RULE,
    &any_to_type::RULE,
    &flattened_or_nested::RULE,
    &definition_moved::RULE,
    &newtype_changed::RULE,
    &documentation_changed::RULE,
    &event_renamed::RULE,
    &event_removed::RULE,
    &version_without_upcast::RULE,
    &version_removed::RULE,
    &key_changed::RULE,
    &other_change::RULE,
    &unhandled::RULE,
];

/// A kind of change, and what it means.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rule {
    /// Its name, in waivers and reports: that of its file.
    pub id: &'static str,
    /// The change, in words.
    pub change: &'static str,
    /// Whether the old reads what the new writes.
    pub forward: Verdict,
    /// Whether the new reads what the old wrote.
    pub backward: Verdict,
    /// Why.
    pub why: &'static str,
    /// What to do where it breaks.
    pub advice: &'static str,
    pub(crate) finds: fn(&Kind) -> bool,
}

/// What becomes of a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It reads everything.
    Safe,
    /// There is something that it does not read.
    Breaks,
    /// It reads everything, and may take something for what it was not.
    Warns,
    /// It depends on this.
    Depends(&'static str),
}

impl Verdict {
    /// As in a table: ✓, ✗ or !, and what it depends on.
    #[must_use]
    pub fn shown(self) -> String {
        match self {
            Self::Safe => "✓".to_owned(),
            Self::Breaks => "✗".to_owned(),
            Self::Warns => "!".to_owned(),
            Self::Depends(on) => on.to_owned(),
        }
    }
}

/// The rule with this name.
#[must_use]
pub fn named(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}

/// The rule for a change.
pub(crate) fn of(kind: &Kind) -> &'static Rule {
    RULES.iter().copied().find(|rule| (rule.finds)(kind)).unwrap_or(&other_change::RULE)
}

/// The rules as a table, in Markdown: each with a heading of its own.
#[must_use]
pub fn documentation() -> String {
    let mut text = String::from(HEAD);
    for rule in RULES {
        text.push_str(&format!(
            "| [{id}](#{id}) | {} | {} | {} |\n",
            rule.change,
            rule.forward.shown(),
            rule.backward.shown(),
            id = rule.id,
        ));
    }
    for rule in RULES {
        text.push_str(&format!("\n## {}\n\n{}: {}\n", rule.id, rule.change, rule.why));
        if !rule.advice.is_empty() {
            text.push_str(&format!("\nWhat to do: {}.\n", rule.advice));
        }
    }
    text
}

const HEAD: &str = "\
# Rules\n\n\
What `outbox schemas compat` says of a change to a released version of an event. *Forward*: the code that \
is deployed reads what the new code writes. *Backward*: the new code reads what is in the log.\n\n\
✓ safe, ✗ breaks, ! a warning. A break is always shown with a value that is written and not read; a \
\"✓\" is a proof from the schemas. Where neither succeeds, the rule `unhandled` counts as a break.\n\n\
This file is generated from the rules' sources; a test holds them together.\n\n\
| rule | change | forward | backward |\n| --- | --- | --- | --- |\n";
