//! What a registry needs of a database that the files do not have.

use std::collections::BTreeSet;

use outbox_runtime::migrations::Migrations;
use outbox_runtime::{EventInfo, RegistryInfo};

use super::columns::{Column, Source, columns, cut};
use super::kind::Kind;
use super::part::{Database, Does, Part};
use super::sql;
use super::state::{State, View};
use crate::lineage::lineages;

/// The parts that are missing, in the order in which they can be applied.
pub(super) fn missing(registry: &RegistryInfo, to: &Migrations, state: &State) -> Vec<Part> {
    let newest: Vec<&EventInfo> =
        lineages(registry).iter().filter_map(|lineage| lineage.newest()).collect();
    let mut parts = tables(to, state);
    parts.extend(dropped_indexes(&newest, to, state));
    parts.extend(dropped_views(&newest, to, state));
    parts.extend(views(&newest, to, state));
    parts.extend(indexes(&newest, to, state));
    let new = registry.consumers.iter().filter(|new| !state.consumers.contains(new.options.name));
    parts.extend(new.map(|consumer| Part {
        does: Does::Register { consumer: consumer.options.name.to_owned() },
        sql: to.register(consumer).trim_end().to_owned(),
    }));
    parts
}

/// Consumers that the files have made known, and the registry has no more.
pub(super) fn gone(registry: &RegistryInfo, state: &State) -> Vec<String> {
    let is_here = |name: &str| registry.consumers.iter().any(|here| here.options.name == name);
    state.consumers.iter().filter(|name| !is_here(name)).cloned().collect()
}

/// The end of a consumer.
pub(super) fn retirement(consumer: &str, to: &Migrations, drop_work: bool) -> Part {
    Part {
        does: Does::Retire { consumer: consumer.to_owned() },
        sql: to.retire(consumer, drop_work).trim_end().to_owned(),
    }
}

fn tables(to: &Migrations, state: &State) -> Vec<Part> {
    let newer = to.tables().into_iter().filter(|tables| tables.format > state.format);
    let parts = newer.map(|tables| Part {
        does: Does::Tables { format: tables.format },
        sql: tables.sql.trim_end().to_owned(),
    });
    parts.collect()
}

/// The view of an event as it should be.
struct Wanted {
    name: String,
    columns: Vec<Column>,
    select: String,
}

fn views(newest: &[&EventInfo], to: &Migrations, state: &State) -> Vec<Part> {
    let mut taken: BTreeSet<String> = state.views.values().map(|view| view.name.clone()).collect();
    let mut parts = Vec::new();
    for event in newest {
        let before = state.views.get(event.name);
        let name = before.map_or_else(
            || free(&format!("v_{}", plain(event.name)), &taken),
            |view| view.name.clone(),
        );
        taken.insert(name.clone());
        let wanted = wanted(event, name, to, before);
        if before.is_none_or(|before| !before.sql.ends_with(&wanted.select)) {
            parts.push(view(event, &wanted, to, before));
        }
    }
    parts
}

/// Columns keep their places, and new ones come last: then a view can be replaced, with whatever
/// was granted on it and made from it.
fn wanted(event: &EventInfo, name: String, to: &Migrations, before: Option<&View>) -> Wanted {
    let mut columns = addressable(event, Database::of(to));
    let place = |column: &Column| {
        let known = before?.columns.iter().position(|(name, _)| *name == column.name)?;
        Some(known)
    };
    columns.sort_by_key(|column| place(column).unwrap_or(usize::MAX));
    let select = sql::select(to, event.name, &columns);
    Wanted { name, columns, select }
}

fn addressable(event: &EventInfo, database: Database) -> Vec<Column> {
    let mut columns = columns(event);
    columns.retain(|column| match &column.source {
        Source::Whole => true,
        Source::Property { names, .. } => {
            names.iter().all(|property| sql::is_addressable(property, database))
        }
    });
    columns
}

fn view(event: &EventInfo, wanted: &Wanted, to: &Migrations, before: Option<&View>) -> Part {
    let columns: Vec<(String, Kind)> =
        wanted.columns.iter().map(|column| (column.name.clone(), column.kind)).collect();
    let can_stay = before.is_none_or(|before| columns.starts_with(&before.columns));
    let (name, select) = (to.name(&wanted.name), &wanted.select);
    let sql = match (Database::of(to), before) {
        (_, None) => format!("create view {name} as\n{select}"),
        (Database::Postgres, Some(_)) if can_stay => {
            format!("create or replace view {name} as\n{select}")
        }
        (_, Some(_)) => format!("drop view if exists {name};\ncreate view {name} as\n{select}"),
    };
    let does = Does::View { event: event.name.to_owned(), name: wanted.name.clone(), columns };
    Part { does, sql }
}

fn dropped_views(newest: &[&EventInfo], to: &Migrations, state: &State) -> Vec<Part> {
    let is_here = |name: &str| newest.iter().any(|event| event.name == name);
    let gone = state.views.iter().filter(|(event, _)| !is_here(event));
    let parts = gone.map(|(event, view)| Part {
        does: Does::DropView { event: event.clone() },
        sql: format!("drop view if exists {};", to.name(&view.name)),
    });
    parts.collect()
}

/// An index that an event asks for, by the column that it is on.
fn asked<'a>(
    newest: &'a [&EventInfo],
    database: Database,
) -> impl Iterator<Item = (&'a EventInfo, &'static str, Column)> {
    newest.iter().flat_map(move |event| {
        let columns = addressable(event, database);
        let indexed = event.indexes.iter().filter_map(move |property| {
            let is_it = |column: &&Column| matches!(&column.source, Source::Property { names, .. } if names[0] == **property);
            Some((*event, *property, columns.iter().find(is_it)?.clone()))
        });
        indexed.collect::<Vec<_>>()
    })
}

fn indexes(newest: &[&EventInfo], to: &Migrations, state: &State) -> Vec<Part> {
    let mut taken: BTreeSet<String> =
        state.indexes.values().map(|index| index.name.clone()).collect();
    let mut parts = Vec::new();
    for (event, property, column) in asked(newest, Database::of(to)) {
        let before = state.indexes.get(&(event.name.to_owned(), property.to_owned()));
        let name = before.map_or_else(
            || free(&format!("i_{}_{}", plain(event.name), plain(property)), &taken),
            |index| index.name.clone(),
        );
        taken.insert(name.clone());
        let mut sql = sql::index(to, &name, event.name, &column);
        if before.is_some_and(|before| before.sql.ends_with(&sql)) {
            continue;
        }
        if before.is_some() {
            sql = format!("{}\n{sql}", sql::drop_index(to, &name));
        }
        let (event, property) = (event.name.to_owned(), property.to_owned());
        parts.push(Part { does: Does::Index { event, property, name }, sql });
    }
    parts
}

fn dropped_indexes(newest: &[&EventInfo], to: &Migrations, state: &State) -> Vec<Part> {
    let asked: BTreeSet<(String, String)> = asked(newest, Database::of(to))
        .map(|(event, property, _)| (event.name.to_owned(), property.to_owned()))
        .collect();
    let gone = state.indexes.iter().filter(|(key, _)| !asked.contains(key));
    let parts = gone.map(|((event, property), index)| Part {
        does: Does::DropIndex { event: event.clone(), property: property.clone() },
        sql: sql::drop_index(to, &index.name),
    });
    parts.collect()
}

/// A name in letters, digits and `_`. Not all of them are different.
pub(super) fn plain(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .collect()
}

/// What the longest prefix of SQLite, or the limit of Postgres, leaves for a name.
const MAX_NAME_BYTES: usize = 60;

/// A name that nothing has yet.
fn free(wanted: &str, taken: &BTreeSet<String>) -> String {
    let wanted = cut(wanted, MAX_NAME_BYTES);
    let stem = cut(wanted, MAX_NAME_BYTES - 4);
    let numbered = (2..).map(|number| format!("{stem}_{number}"));
    let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
    names.find(|name| !taken.contains(name)).unwrap_or_default()
}
