//! The fields of structs.

use serde_json::Value;

use super::node::{Kind as Is, Node, Record};
use super::{Diff, Kind, Side, below};
use crate::compat::Step;

impl Diff {
    pub(super) fn records(
        &mut self,
        path: &[Step],
        (old, was): (&Side<'_>, &Record),
        (new, is): (&Side<'_>, &Record),
    ) {
        match (was.is_closed, is.is_closed) {
            (false, true) => self.found(path, Kind::Closed),
            (true, false) => self.found(path, Kind::Opened),
            _ => {}
        }
        let mut removed = missing(was, is);
        let mut added = missing(is, was);
        self.renamed(path, (old, was), (new, is), &mut removed, &mut added);
        self.flattened(path, (old, was), (new, is), &mut removed, &mut added);
        for name in removed {
            let was_required = was.required.contains(name);
            let kind = Kind::FieldRemoved { was_required, new_is_closed: is.is_closed };
            self.found(&field(path, name), kind);
        }
        for name in added {
            let is_required = is.required.contains(name);
            let kind = Kind::FieldAdded { is_required, old_is_closed: was.is_closed };
            self.found(&field(path, name), kind);
        }
        let (written_old, written_new) = (written(old), written(new));
        for (name, a) in &was.fields {
            if let Some(b) = is.fields.get(name) {
                let old = (old.inside(a, written_old.fields.get(name).cloned()), was);
                let new = (new.inside(b, written_new.fields.get(name).cloned()), is);
                if written_old.required.contains(name) && !written_new.required.contains(name) {
                    let is_required = was.required.contains(name);
                    self.found(&field(path, name), Kind::MayBeOmitted { is_required });
                }
                self.kept(&field(path, name), name, old, new);
            }
        }
    }

    /// A field that both have.
    fn kept(
        &mut self,
        path: &[Step],
        name: &str,
        (old, was): (Side<'_>, &Record),
        (new, is): (Side<'_>, &Record),
    ) {
        let (nullable_old, nullable_new) = (old.node().is_nullable, new.node().is_nullable);
        match (was.required.contains(name), is.required.contains(name)) {
            // (An `Option` may be left out: that is one change and not two.)
            (true, false) if !nullable_new || nullable_old => self.found(path, Kind::DefaultAdded),
            (false, true) if !nullable_old || nullable_new => {
                self.found(path, Kind::DefaultRemoved)
            }
            _ => {}
        }
        self.types(path, old, new);
    }

    /// What is gone under one name and there under another.
    fn renamed<'n>(
        &mut self,
        path: &[Step],
        (old, was): (&Side<'_>, &Record),
        (new, is): (&Side<'_>, &Record),
        removed: &mut Vec<&'n String>,
        added: &mut Vec<&'n String>,
    ) {
        let node = |side: &Side<'_>, schema: &Value| Node::read(&side.revision.read, schema).kind;
        let is_only = removed.len() == 1 && added.len() == 1;
        let pairs: Vec<(&String, &String)> = removed
            .iter()
            .filter_map(|from| {
                let to = added.iter().find(|to| {
                    let is_alias = reads_as_well(new, to, from) || reads_as_well(old, from, to);
                    let is_same = node(old, &was.fields[*from]) == node(new, &is.fields[**to]);
                    is_alias || (is_same && (is_only || bare(from) == bare(to)))
                })?;
                Some((*from, *to))
            })
            .collect();
        for (from, to) in pairs {
            removed.retain(|name| *name != from);
            added.retain(|name| *name != to);
            let is_aliased = reads_as_well(new, to, from);
            self.found(&field(path, to), Kind::FieldRenamed { from: from.clone(), is_aliased });
        }
    }

    /// A struct whose fields were beside the others and are now in one of their own, or the other way
    /// round.
    fn flattened<'n>(
        &mut self,
        path: &[Step],
        (old, was): (&Side<'_>, &Record),
        (new, is): (&Side<'_>, &Record),
        removed: &mut Vec<&'n String>,
        added: &mut Vec<&'n String>,
    ) {
        let fields_of = |side: &Side<'_>, record: &Record, name: &str| match Node::read(
            &side.revision.read,
            &record.fields[name],
        )
        .kind
        {
            Is::Record(inner) => inner.fields.into_keys().collect(),
            _ => Vec::new(),
        };
        let holds = |inner: &[String], names: &[&String]| {
            !inner.is_empty() && inner.iter().all(|name| names.contains(&name))
        };
        let nested = added.iter().find_map(|name| {
            let inner = fields_of(new, is, name);
            holds(&inner, removed).then(|| ((*name).clone(), inner))
        });
        let flat = removed.iter().find_map(|name| {
            let inner = fields_of(old, was, name);
            holds(&inner, added).then(|| ((*name).clone(), inner))
        });
        if let Some((name, inner)) = nested.or(flat) {
            let is_part = |one: &&String| **one == name || inner.contains(one);
            removed.retain(|one| !is_part(one));
            added.retain(|one| !is_part(one));
            self.found(path, Kind::FlattenedOrNested { name });
        }
    }
}

/// The fields of the one that the other has not.
fn missing<'n>(of: &'n Record, other: &Record) -> Vec<&'n String> {
    of.fields.keys().filter(|name| !other.fields.contains_key(*name)).collect()
}

fn field(path: &[Step], name: &str) -> Vec<Step> {
    below(path, Step::Property(name.to_owned()))
}

/// A name without its case and what joins its words.
fn bare(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a property is read under another name as well.
fn reads_as_well(side: &Side<'_>, property: &str, other: &str) -> bool {
    side.revision.reading.aliases.iter().any(|alias| {
        alias.property.as_deref() == Some(property) && alias.names.iter().any(|name| name == other)
    })
}

/// The struct as it is written.
fn written(side: &Side<'_>) -> Record {
    match side.written().map(|node| node.kind) {
        Some(Is::Record(record)) => record,
        _ => Record::default(),
    }
}
