//! Changes in words.

use std::fmt;

use super::Kind;

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FieldAdded { is_required, old_is_closed } => {
                f.write_str(if *is_required {
                    "a required field is new"
                } else {
                    "an optional field is new"
                })?;
                f.write_str(if *old_is_closed {
                    ", and the old reader denies unknown fields"
                } else {
                    ""
                })
            }
            Self::FieldRemoved { was_required, new_is_closed } => {
                f.write_str(if *was_required {
                    "a required field is gone"
                } else {
                    "an optional field is gone"
                })?;
                f.write_str(if *new_is_closed {
                    ", and the new reader denies unknown fields"
                } else {
                    ""
                })
            }
            Self::FieldRenamed { from, is_aliased } => {
                write!(f, "the field was called `{from}`")?;
                f.write_str(if *is_aliased { ", which is an alias now" } else { "" })
            }
            Self::OptionRemoved => f.write_str("null was read, and is not any more"),
            Self::OptionAdded => f.write_str("null may be written now"),
            Self::MayBeOmitted { .. } => f.write_str("the field may be left out now"),
            Self::DefaultAdded => f.write_str("the field need not be there any more"),
            Self::DefaultRemoved => f.write_str("the field must be there now"),
            Self::DefaultChanged { from, to } => write!(f, "the default was {from}, and is {to}"),
            Self::TypeReplaced { from, to } => write!(f, "it was {from}, and is {to}"),
            Self::IntegerToNumber => f.write_str("it was an integer, and is a number"),
            Self::NumberToInteger => f.write_str("it was a number, and is an integer"),
            Self::IntegerWidened { from, to }
            | Self::IntegerNarrowed { from, to }
            | Self::IntegerShifted { from, to } => write!(f, "it was {from}, and is {to}"),
            Self::BoundsTightened => f.write_str("a bound is new, or tighter"),
            Self::BoundsLoosened => f.write_str("a bound is gone, or looser"),
            Self::PatternChanged => f.write_str("the pattern is another one"),
            Self::FormatAdded(format) => write!(f, "it was any text, and is a `{format}`"),
            Self::FormatRemoved(format) => write!(f, "it was a `{format}`, and is any text"),
            Self::VariantAdded { name, .. } if name.is_empty() => {
                f.write_str("an untagged variant is new")
            }
            Self::VariantRemoved { name, .. } if name.is_empty() => {
                f.write_str("an untagged variant is gone")
            }
            Self::VariantAdded { name, .. } => write!(f, "the variant `{name}` is new"),
            Self::VariantRemoved { name, .. } => write!(f, "the variant `{name}` is gone"),
            Self::VariantReshaped { name } => {
                write!(f, "the variant `{name}` had data and has none, or the other way round")
            }
            Self::VariantRenamed { from, to } => {
                write!(f, "the variant `{from}` is called `{to}` now")
            }
            Self::Reordered | Self::UntaggedReordered => {
                f.write_str("the same variants in another order")
            }
            Self::Retagged { from, to } => {
                write!(f, "variants were told apart {from}, and are {to}")
            }
            Self::Closed => f.write_str("unknown fields are denied now"),
            Self::Opened => f.write_str("unknown fields are not denied any more"),
            Self::ItemsChanged => f.write_str("something inside has changed"),
            Self::ListToTuple => f.write_str("it was a list, and has a fixed length"),
            Self::TupleToList => f.write_str("it had a fixed length, and is a list"),
            Self::ListToSet => f.write_str("it was a list, and is a set"),
            Self::SetToList => f.write_str("it was a set, and is a list"),
            Self::WrappedInList => f.write_str("it was one value, and is a list of such values"),
            Self::UnwrappedFromList => f.write_str("it was a list, and is one of its items"),
            Self::ToAny { from } => write!(f, "it was {from}, and is any JSON"),
            Self::FromAny { to } => write!(f, "it was any JSON, and is {to}"),
            Self::FlattenedOrNested { name } => {
                write!(
                    f,
                    "the fields of `{name}` were beside the others and are inside of it, or the other way round"
                )
            }
            Self::DefinitionMoved => f.write_str("a type has another name or place"),
            Self::NewtypeChanged => f.write_str("a type was put around it, or taken away"),
            Self::Other => f.write_str("it is another schema"),
            Self::Documentation => f.write_str("documentation only"),
        }
    }
}
