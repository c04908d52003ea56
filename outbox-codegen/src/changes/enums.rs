//! The variants of enums.

use serde_json::Value;

use super::node::{Kind as Is, Node};
use super::variant::{Tagging, Variant};
use super::{Diff, Kind, Side, below};
use crate::compat::Step;

impl Diff {
    pub(super) fn enums(
        &mut self,
        path: &[Step],
        (old, tagged, was): (&Side<'_>, &Tagging, &[Variant]),
        (new, tagging, is): (&Side<'_>, &Tagging, &[Variant]),
    ) {
        if tagged != tagging && !(all_unit(was) && all_unit(is)) {
            let kind = Kind::Retagged { from: tagged.clone(), to: tagging.clone() };
            return self.found(path, kind);
        }
        let mut removed: Vec<&Variant> = was.iter().filter(|one| !has(is, one)).collect();
        let mut added: Vec<&Variant> = is.iter().filter(|one| !has(was, one)).collect();
        if let ([from], [to]) = (&removed[..], &added[..])
            && was.len() == is.len()
            && same_data(old, from, new, to)
        {
            let kind = Kind::VariantRenamed { from: from.name.clone(), to: to.name.clone() };
            self.found(path, kind);
            (removed, added) = (Vec::new(), Vec::new());
        }
        for Variant { name, data } in removed {
            let kind = Kind::VariantRemoved { name: name.clone(), was_unit: data.is_none() };
            self.found(path, kind);
        }
        for Variant { name, data } in added {
            self.found(path, Kind::VariantAdded { name: name.clone(), is_unit: data.is_none() });
        }
        for variant in was {
            if let Some(other) = is.iter().find(|other| other.name == variant.name) {
                self.variant(path, tagging, (old, variant), (new, other));
            }
        }
        let order = |all: &[Variant]| all.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
        self.reordered(path, order(was), order(is), Kind::Reordered);
    }

    fn variant(
        &mut self,
        path: &[Step],
        tagging: &Tagging,
        (old, was): (&Side<'_>, &Variant),
        (new, is): (&Side<'_>, &Variant),
    ) {
        match (&was.data, &is.data) {
            (None, None) => {}
            (Some(a), Some(b)) => {
                let path = match tagging {
                    Tagging::External => below(path, Step::Property(was.name.clone())),
                    Tagging::Internal(_) => path.to_vec(),
                    Tagging::Adjacent(_, content) => below(path, Step::Property(content.clone())),
                };
                let old = old.inside(a, written_data(old, &was.name));
                let new = new.inside(b, written_data(new, &is.name));
                self.types(&path, old, new);
            }
            _ => self.found(path, Kind::VariantReshaped { name: was.name.clone() }),
        }
    }

    /// Alternatives without a tag, which have no names to be compared by.
    pub(super) fn unions(
        &mut self,
        path: &[Step],
        was: &[Value],
        is: &[Value],
        (old, new): (&Node, &Node),
    ) {
        let order = |all: &[Value]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        let before = self.changes.len();
        self.reordered(path, order(was), order(is), Kind::UntaggedReordered);
        if self.changes.len() > before || was == is {
            return;
        }
        let added = is.iter().filter(|one| !was.contains(one)).count();
        let removed = was.iter().filter(|one| !is.contains(one)).count();
        let name = String::new;
        self.found(
            path,
            match (removed, added) {
                (0, _) => Kind::VariantAdded { name: name(), is_unit: false },
                (_, 0) => Kind::VariantRemoved { name: name(), was_unit: false },
                _ => Kind::TypeReplaced { from: old.shown(), to: new.shown() },
            },
        );
    }

    fn reordered(&mut self, path: &[Step], was: Vec<String>, is: Vec<String>, kind: Kind) {
        let (mut sorted_was, mut sorted_is) = (was.clone(), is.clone());
        sorted_was.sort();
        sorted_is.sort();
        if was != is && sorted_was == sorted_is {
            self.found(path, kind);
        }
    }
}

fn has(variants: &[Variant], one: &Variant) -> bool {
    variants.iter().any(|other| other.name == one.name)
}

fn all_unit(variants: &[Variant]) -> bool {
    variants.iter().all(|one| one.data.is_none())
}

fn same_data(old: &Side<'_>, from: &Variant, new: &Side<'_>, to: &Variant) -> bool {
    match (&from.data, &to.data) {
        (Some(a), Some(b)) => {
            let (a, b) = (Node::read(&old.revision.read, a), Node::read(&new.revision.read, b));
            a.kind == b.kind
        }
        (None, None) => true,
        _ => false,
    }
}

fn written_data(side: &Side<'_>, name: &str) -> Option<Value> {
    match side.written()?.kind {
        Is::Enum(_, variants) => variants.into_iter().find(|one| one.name == name)?.data,
        _ => None,
    }
}
