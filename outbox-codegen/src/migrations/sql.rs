//! Views and indexes as SQL.

use outbox_runtime::migrations::Migrations;
use serde_json::Value;

use super::columns::{Column, ENVELOPE, Rows, Source};
use super::kind::Kind;
use super::part::Database;

/// The query of a view: one row for each event of this name.
pub(super) fn select(to: &Migrations, event: &str, columns: &[Column]) -> String {
    let mut lines: Vec<String> = match Database::of(to) {
        Database::Postgres => ENVELOPE.map(|column| format!("e.{column}")).to_vec(),
        Database::Sqlite => vec![
            "e.position".to_owned(),
            "lower(substr(hex(e.id), 1, 8) || '-' || substr(hex(e.id), 9, 4) || '-' || substr(hex(e.id), 13, 4) \
             || '-' || substr(hex(e.id), 17, 4) || '-' || substr(hex(e.id), 21)) as id"
                .to_owned(),
            "e.version".to_owned(),
            "e.key".to_owned(),
            "strftime('%Y-%m-%dT%H:%M:%fZ', e.created_at_us / 1000000.0, 'unixepoch') as created_at".to_owned(),
        ],
    };
    lines.extend(
        columns
            .iter()
            .map(|column| format!("{} as {}", expression(to, "e.", column), name(&column.name))),
    );
    format!(
        "select {}\nfrom {} e\nwhere e.name = {};",
        lines.join(",\n       "),
        to.name("event"),
        literal(event),
    )
}

/// An index on what a column of the view shows, so that queries of the view can use it.
pub(super) fn index(to: &Migrations, index: &str, event: &str, column: &Column) -> String {
    let expression = expression(to, "", column);
    let (index, on, event) = (in_place(to, index), to.name("event"), literal(event));
    match Database::of(to) {
        Database::Postgres => {
            format!(
                "create index if not exists {index} on {on} (({expression}))\n    where name = {event};"
            )
        }
        Database::Sqlite => {
            format!(
                "create index if not exists {index} on {on} ({expression})\n    where name = {event};"
            )
        }
    }
}

pub(super) fn drop_index(to: &Migrations, index: &str) -> String {
    format!("drop index if exists {};", to.name(index))
}

/// An index is made in the schema of its table, and its name says nothing about that.
fn in_place(to: &Migrations, index: &str) -> String {
    match Database::of(to) {
        Database::Postgres => name(index),
        Database::Sqlite => to.name(index),
    }
}

/// The value of a column, and null where the payload has something of another kind there.
fn expression(to: &Migrations, of: &str, column: &Column) -> String {
    let value = value(of, column, Database::of(to));
    match Database::of(to) {
        Database::Postgres => postgres(to, &value, column.kind),
        Database::Sqlite => sqlite(&value, column.kind),
    }
}

/// The JSON value: both databases have `->`, which tells what is absent from what is null.
fn value(of: &str, column: &Column, database: Database) -> String {
    let Source::Property { names, default } = &column.source else {
        return format!("{of}payload");
    };
    let mut values: Vec<String> = names
        .iter()
        .map(|property| format!("{of}payload -> {}", key(property, database)))
        .collect();
    values.extend(default.as_ref().map(|(default, rows)| {
        let default = json(default, database);
        match rows {
            Rows::All => default,
            Rows::OfVersion(version) => {
                format!("case when {of}version = {version} then {default} end")
            }
        }
    }));
    match &values[..] {
        [only] => only.clone(),
        _ => format!("coalesce({})", values.join(", ")),
    }
}

fn postgres(to: &Migrations, value: &str, kind: Kind) -> String {
    let function = match kind {
        Kind::Text => "as_text",
        Kind::Boolean => "as_boolean",
        Kind::Bigint => "as_bigint",
        Kind::Numeric => "as_numeric",
        Kind::Double => "as_double",
        Kind::Uuid => "as_uuid",
        Kind::Date => "as_date",
        Kind::Timestamptz => "as_timestamptz",
        Kind::Json => return format!("nullif({value}, 'null'::jsonb)"),
    };
    format!("{}({value})", to.name(function))
}

/// SQLite has no types to speak of: texts, numbers, 0 and 1, and JSON as text. Whole numbers have 64
/// bits there; what is larger would be rounded, and so is a text of its digits where it belongs to the
/// type of the column.
fn sqlite(value: &str, kind: Kind) -> String {
    let is = |kind: &str| format!("json_type({value}) = '{kind}'");
    let inner = format!("({value}) ->> '$'");
    let is_integer = format!("typeof({inner}) = 'integer'");
    match kind {
        Kind::Text | Kind::Uuid | Kind::Date | Kind::Timestamptz => {
            format!("case when {} then {inner} end", is("text"))
        }
        Kind::Boolean => format!("case when {} or {} then {inner} end", is("true"), is("false")),
        Kind::Bigint => format!("case when {} and {is_integer} then {inner} end", is("integer")),
        Kind::Numeric => {
            let (whole, digits) = (is("integer"), value);
            format!(
                "case when {whole} then case when {is_integer} then {inner} else {digits} end end"
            )
        }
        Kind::Double => format!("case when {} or {} then {inner} end", is("integer"), is("real")),
        Kind::Json => format!("nullif({value}, 'null')"),
    }
}

/// Whether a property can be asked for: SQLite has no way to write a quote in a path.
pub(super) fn is_addressable(property: &str, database: Database) -> bool {
    database == Database::Postgres || !property.contains(['"', '\\'])
}

/// The right side of `->`. SQLite takes a text that begins with `$` for a path, so every one is
/// written as a path there.
fn key(property: &str, database: Database) -> String {
    match database {
        Database::Postgres => literal(property),
        Database::Sqlite => literal(&format!("$.\"{property}\"")),
    }
}

fn json(value: &Value, database: Database) -> String {
    let text = literal(&value.to_string());
    match database {
        Database::Postgres => format!("{text}::jsonb"),
        Database::Sqlite => text,
    }
}

/// A name in double quotes.
fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as a literal.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
