//! What has changed between two revisions of an event, in the words of Rust types. The gate looks here
//! for the change that a break comes from; whether there is a break, [`crate::compat`] alone decides.

mod enums;
mod fields;
mod node;
mod types;
mod variant;
mod words;

use std::rc::Rc;

use serde_json::Value;

use crate::compat::{Break, Reason, Step, refers_only_to_definitions};
use crate::schemas::Revision;

pub(crate) use variant::Tagging;

/// A change, and where in the value it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    pub(crate) path: Vec<Step>,
    pub(crate) kind: Kind,
}

/// What has changed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A field is new.
    FieldAdded {
        is_required: bool,
        old_is_closed: bool,
    },
    /// A field is gone.
    FieldRemoved {
        was_required: bool,
        new_is_closed: bool,
    },
    /// A field has another name, which is read by the other one if `is_aliased`.
    FieldRenamed {
        from: String,
        is_aliased: bool,
    },
    /// Null is not read any more.
    OptionRemoved,
    /// Null may be written.
    OptionAdded,
    /// A field may now be left out, which the old reader does not expect if it `is_required`.
    MayBeOmitted {
        is_required: bool,
    },
    /// A field need not be there any more for who reads it.
    DefaultAdded,
    /// A field must be there for who reads it.
    DefaultRemoved,
    /// What is read for a field that is absent.
    DefaultChanged {
        from: Value,
        to: Value,
    },
    /// One type in the place of another.
    TypeReplaced {
        from: String,
        to: String,
    },
    IntegerToNumber,
    NumberToInteger,
    /// The new integer has all values of the old one.
    IntegerWidened {
        from: String,
        to: String,
    },
    /// The old integer has all values of the new one.
    IntegerNarrowed {
        from: String,
        to: String,
    },
    /// Each integer has values that the other one has not.
    IntegerShifted {
        from: String,
        to: String,
    },
    BoundsTightened,
    BoundsLoosened,
    PatternChanged,
    FormatAdded(String),
    FormatRemoved(String),
    VariantAdded {
        name: String,
        is_unit: bool,
    },
    VariantRemoved {
        name: String,
        was_unit: bool,
    },
    /// A unit variant has data, or one with data has none.
    VariantReshaped {
        name: String,
    },
    /// A variant has another name.
    VariantRenamed {
        from: String,
        to: String,
    },
    /// The same alternatives in another order.
    Reordered,
    /// The same alternatives without a tag, in another order: the first that fits is read.
    UntaggedReordered,
    /// Variants are told apart otherwise.
    Retagged {
        from: Tagging,
        to: Tagging,
    },
    /// Properties that are not declared are refused.
    Closed,
    /// They are not refused any more.
    Opened,
    /// Something inside of a list's items or a map's values.
    ItemsChanged,
    ListToTuple,
    TupleToList,
    ListToSet,
    SetToList,
    /// A list in the place of what is now its item, or the other way round.
    WrappedInList,
    UnwrappedFromList,
    ToAny {
        from: String,
    },
    FromAny {
        to: String,
    },
    /// The fields of a struct beside the others, or in one of their own.
    FlattenedOrNested {
        name: String,
    },
    /// A definition was moved, renamed or put in its place.
    DefinitionMoved,
    /// A value has, or had, a type of its own around it.
    NewtypeChanged,
    /// Nothing but documentation, or the order of keys.
    Documentation,
    /// Something that has no name here.
    Other,
}

/// What has changed from the one revision to the other, outermost first; never nothing.
pub(crate) fn between(old: &Revision, new: &Revision) -> Vec<Change> {
    fn definitions(schema: &Value) -> Option<&Value> {
        schema.get("$defs")
    }
    let has_same_definitions =
        [(&old.read, &new.read), (&old.write, &new.write)].into_iter().all(|(old, new)| {
            let refers_elsewhere =
                |schema: &Value| refers_only_to_definitions(schema) == Some(false);
            definitions(old) == definitions(new) && !refers_elsewhere(old) && !refers_elsewhere(new)
        });
    let mut diff = Diff { has_same_definitions, ..Diff::default() };
    diff.types(&[], Side::whole(old), Side::whole(new));
    let mut changes = diff.changes;
    changes.dedup();
    if changes.is_empty() {
        let is_same = old.read.hash() == new.read.hash() && old.write.hash() == new.write.hash();
        let kind = if is_same { Kind::Documentation } else { Kind::Other };
        changes.push(Change { path: Vec::new(), kind });
    }
    changes
}

/// The place in a revision that is looked at: how it is read, and how it is written.
#[derive(Clone, Debug)]
struct Side<'a> {
    revision: &'a Revision,
    read: Rc<Value>,
    write: Option<Value>,
}

impl<'a> Side<'a> {
    fn whole(revision: &'a Revision) -> Self {
        Self {
            revision,
            read: Rc::new(Value::clone(&revision.read)),
            write: Some(Value::clone(&revision.write)),
        }
    }

    fn inside(&self, read: &Value, write: Option<Value>) -> Self {
        Self { revision: self.revision, read: Rc::new(read.clone()), write }
    }

    fn node(&self) -> node::Node {
        node::Node::read(&self.revision.read, &self.read)
    }

    fn written(&self) -> Option<node::Node> {
        self.write.as_ref().map(|write| node::Node::read(&self.revision.write, write))
    }
}

/// Two revisions that are being compared.
#[derive(Default)]
struct Diff {
    /// Whether what is the same word for word means the same.
    has_same_definitions: bool,
    changes: Vec<Change>,
    /// What is being compared further out: types may refer to themselves.
    open: Vec<(Rc<Value>, Rc<Value>)>,
}

impl Diff {
    fn found(&mut self, path: &[Step], kind: Kind) {
        self.changes.push(Change { path: path.to_vec(), kind });
    }
}

fn below(path: &[Step], step: Step) -> Vec<Step> {
    let mut path = path.to_vec();
    path.push(step);
    path
}

/// How well a change explains a break; none if it is about something else.
pub(crate) fn explains(change: &Change, one: &Break) -> Option<usize> {
    let mut place = one.path.clone();
    if let Reason::Missing(name) | Reason::Unexpected(name) = &one.reason {
        place.push(Step::Property(name.clone()));
    }
    let near = |path: &[Step]| {
        let common = place.iter().zip(path).take_while(|(a, b)| a == b).count();
        let is_related = common == path.len() || common == place.len();
        let distance = place.len().abs_diff(path.len());
        is_related.then(|| 1000 + common.saturating_sub(distance))
    };
    let before = match (&change.kind, change.path.split_last()) {
        (Kind::FieldRenamed { from, .. }, Some((_, outer))) => {
            near(&below(outer, Step::Property(from.clone())))
        }
        _ => None,
    };
    near(&change.path).max(before)
}
