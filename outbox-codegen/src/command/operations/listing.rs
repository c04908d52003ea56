//! Rows for people and for programs.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Format {
    /// A table.
    Text,
    /// An array of objects, with more in them.
    Json,
}

/// A column: its title, and what it says of a row.
pub(super) type Column<T> = (&'static str, fn(&T) -> String);

/// The rows in the form that is asked for.
pub(super) fn listing<T>(
    format: Format,
    rows: &[T],
    columns: &[Column<T>],
    json: fn(&T) -> Value,
) -> String {
    match format {
        Format::Text => table(rows, columns),
        Format::Json => format!("{:#}\n", rows.iter().map(json).collect::<Value>()),
    }
}

/// A line for each row, below the titles.
pub(super) fn table<T>(rows: &[T], columns: &[Column<T>]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|(title, _)| *title));
    for row in rows {
        // A cell is one line, whatever is in it.
        table.add_row(columns.iter().map(|(_, text)| text(row).replace('\n', "\\n")));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines = table.to_string();
    lines.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A time to the second, in UTC.
pub(super) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A span of time, to the second.
pub(super) fn span(span: Duration) -> String {
    humantime::format_duration(Duration::from_secs(span.as_secs())).to_string()
}

/// What is not there is a dash.
pub(super) fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}
