//! One type and another.

use std::rc::Rc;

use serde_json::Value;

use super::node::{Kind as Is, Limits, Node, Text};
use super::{Diff, Kind, Side, below};
use crate::compat::{Answer, Step, compare};

impl Diff {
    /// Compares what is at one place.
    pub(super) fn types(&mut self, path: &[Step], old: Side<'_>, new: Side<'_>) {
        if self.has_same_definitions && old.read == new.read && old.write == new.write {
            return;
        }
        let is_pair = |(was, is): &(Rc<Value>, Rc<Value>)| *was == old.read && *is == new.read;
        if self.open.iter().any(is_pair) || path.len() > 64 {
            return;
        }
        let (was, is) = (old.node(), new.node());
        self.nullability(path, &was, &is);
        self.open.push((Rc::clone(&old.read), Rc::clone(&new.read)));
        let before = self.changes.len();
        self.kinds(path, &old, &new, &was, &is);
        self.open.pop();
        if self.changes.len() == before {
            self.definitions(path, &was, &is);
        }
    }

    fn nullability(&mut self, path: &[Step], was: &Node, is: &Node) {
        match (was.is_nullable, is.is_nullable) {
            (true, false) if is.kind != Is::Any => self.found(path, Kind::OptionRemoved),
            (false, true) if was.kind != Is::Any => self.found(path, Kind::OptionAdded),
            _ => {}
        }
        if let (Some(from), Some(to)) = (&was.default, &is.default)
            && from != to
        {
            self.found(path, Kind::DefaultChanged { from: from.clone(), to: to.clone() });
        }
    }

    fn definitions(&mut self, path: &[Step], was: &Node, is: &Node) {
        if was.definitions == is.definitions {
            return;
        }
        let is_struct = matches!(was.kind, Is::Record(_) | Is::Enum(..) | Is::Union(_));
        let was_as_deep = was.definitions.len() == is.definitions.len();
        let kind = match is_struct || was_as_deep {
            true => Kind::DefinitionMoved,
            false => Kind::NewtypeChanged,
        };
        self.found(path, kind);
    }

    fn kinds(&mut self, path: &[Step], old: &Side<'_>, new: &Side<'_>, was: &Node, is: &Node) {
        match (&was.kind, &is.kind) {
            (a, b) if a == b && matches!(a, Is::Any | Is::Null | Is::Boolean) => {}
            (Is::Other(a), Is::Other(b)) => {
                if a != b {
                    self.found(path, Kind::Other);
                }
            }
            (Is::Any, _) => self.found(path, Kind::FromAny { to: is.shown() }),
            (_, Is::Any) => self.found(path, Kind::ToAny { from: was.shown() }),
            (Is::Integer(a), Is::Integer(b)) => self.integers(path, a, b),
            (Is::Number(a), Is::Number(b)) => self.bounds(path, &a.bounds, &b.bounds),
            (Is::Integer(_), Is::Number(_)) => self.found(path, Kind::IntegerToNumber),
            (Is::Number(_), Is::Integer(_)) => self.found(path, Kind::NumberToInteger),
            (Is::Text(a), Is::Text(b)) => self.texts(path, a, b, (was, is)),
            (Is::List { item: a, .. }, Is::List { item: b, .. }) => {
                self.lists(path, (old, a, &was.kind), (new, b, &is.kind));
            }
            (Is::Map(a), Is::Map(b)) => self.inside(path, Step::AnyProperty, (old, a), (new, b)),
            (Is::List { .. }, Is::Tuple(_)) => self.found(path, Kind::ListToTuple),
            (Is::Tuple(_), Is::List { .. }) => self.found(path, Kind::TupleToList),
            (Is::Tuple(a), Is::Tuple(b)) if a.len() == b.len() => {
                for (index, (a, b)) in a.iter().zip(b).enumerate() {
                    let write = |side: &Side<'_>| match side.written()?.kind {
                        Is::Tuple(items) => items.get(index).cloned(),
                        _ => None,
                    };
                    let (a, b) = (old.inside(a, write(old)), new.inside(b, write(new)));
                    self.types(&below(path, Step::Item(index)), a, b);
                }
            }
            (Is::Record(a), Is::Record(b)) => self.records(path, (old, a), (new, b)),
            (Is::Enum(a, was), Is::Enum(b, is)) => {
                self.enums(path, (old, a, was), (new, b, is));
            }
            (Is::Union(a), Is::Union(b)) => self.unions(path, a, b, (was, is)),
            (_, Is::List { item, .. }) if same_kind(new, item, was) => {
                self.found(path, Kind::WrappedInList);
            }
            (Is::List { item, .. }, _) if same_kind(old, item, is) => {
                self.found(path, Kind::UnwrappedFromList);
            }
            _ => self.found(path, replaced(was, is)),
        }
    }

    /// What stands in a list or a map.
    fn inside(
        &mut self,
        path: &[Step],
        step: Step,
        (old, a): (&Side<'_>, &Value),
        (new, b): (&Side<'_>, &Value),
    ) {
        let write = |side: &Side<'_>| match side.written()?.kind {
            Is::List { item, .. } | Is::Map(item) => Some(item),
            _ => None,
        };
        let before = self.changes.len();
        let inner = below(path, step);
        self.types(&inner, old.inside(a, write(old)), new.inside(b, write(new)));
        if self.changes.len() > before {
            let change = super::Change { path: inner, kind: Kind::ItemsChanged };
            self.changes.insert(before, change);
        }
    }

    fn lists(
        &mut self,
        path: &[Step],
        (old, a, was): (&Side<'_>, &Value, &Is),
        (new, b, is): (&Side<'_>, &Value, &Is),
    ) {
        if let (
            Is::List { limits: from, is_set: was_set, .. },
            Is::List { limits: to, is_set, .. },
        ) = (was, is)
        {
            match (was_set, is_set) {
                (false, true) => self.found(path, Kind::ListToSet),
                (true, false) => self.found(path, Kind::SetToList),
                _ => {}
            }
            self.bounds(path, &from.bounds, &to.bounds);
        }
        self.inside(path, Step::AnyItem, (old, a), (new, b));
    }

    fn integers(&mut self, path: &[Step], was: &Limits, is: &Limits) {
        if was.format == is.format {
            return self.bounds(path, &was.bounds, &is.bounds);
        }
        let schema = |limits: &Limits| {
            let mut schema = serde_json::json!({ "type": "integer" });
            schema["format"] = limits.format.clone().into();
            if limits.format.is_none() {
                schema = serde_json::json!({ "type": "integer" });
            }
            for (keyword, value) in &limits.bounds {
                schema[keyword] = value.clone();
            }
            schema
        };
        let shown = |limits: &Limits| limits.format.clone().unwrap_or_else(|| "integer".to_owned());
        let holds = |a: &Limits, b: &Limits| {
            compare(&schema(a), &schema(b)).is_ok_and(|answer| answer == Answer::Holds)
        };
        let (from, to) = (shown(was), shown(is));
        self.found(
            path,
            match (holds(was, is), holds(is, was)) {
                (true, false) => Kind::IntegerWidened { from, to },
                (false, true) => Kind::IntegerNarrowed { from, to },
                (false, false) => Kind::IntegerShifted { from, to },
                (true, true) => return,
            },
        );
    }

    fn texts(&mut self, path: &[Step], was: &Text, is: &Text, nodes: (&Node, &Node)) {
        match (&was.format, &is.format) {
            (None, Some(format)) => self.found(path, Kind::FormatAdded(format.clone())),
            (Some(format), None) => self.found(path, Kind::FormatRemoved(format.clone())),
            (Some(a), Some(b)) if a != b => self.found(path, replaced(nodes.0, nodes.1)),
            _ => {}
        }
        if was.pattern != is.pattern {
            self.found(path, Kind::PatternChanged);
        }
        self.bounds(path, &was.limits.bounds, &is.limits.bounds);
    }

    fn bounds(
        &mut self,
        path: &[Step],
        was: &serde_json::Map<String, Value>,
        is: &serde_json::Map<String, Value>,
    ) {
        let mut keywords: Vec<&String> = was.keys().chain(is.keys()).collect();
        keywords.sort_unstable();
        keywords.dedup();
        let (mut tightened, mut loosened) = (false, false);
        for keyword in keywords {
            let number = |bounds: &serde_json::Map<String, Value>| {
                bounds.get(keyword).and_then(Value::as_f64)
            };
            let is_upper = keyword.starts_with("max") || keyword == "exclusiveMaximum";
            match (number(was), number(is)) {
                (None, Some(_)) => tightened = true,
                (Some(_), None) => loosened = true,
                (Some(a), Some(b)) if a != b => {
                    let is_tighter = if is_upper { b < a } else { b > a };
                    tightened |= is_tighter;
                    loosened |= !is_tighter;
                }
                _ => {}
            }
        }
        if tightened {
            self.found(path, Kind::BoundsTightened);
        }
        if loosened {
            self.found(path, Kind::BoundsLoosened);
        }
    }
}

fn replaced(was: &Node, is: &Node) -> Kind {
    Kind::TypeReplaced { from: was.shown(), to: is.shown() }
}

/// Whether the items of a list are what the other one is.
fn same_kind(list: &Side<'_>, item: &Value, other: &Node) -> bool {
    let item = Node::read(&list.revision.read, item);
    std::mem::discriminant(&item.kind) == std::mem::discriminant(&other.kind)
}
