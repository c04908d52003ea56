//! Changing rows and emitting one event for each. SQLite has no statement that changes rows inside
//! another one, so it is two: the user's, and one INSERT for all events.

use serde_json::value::to_raw_value;
use serde_json::{Map, Value};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Column, Row, SqliteConnection, TypeInfo, ValueRef};
use uuid::Uuid;

use super::SqliteStore;
use crate::error::{During, Error, ErrorKind, Result};
use crate::key::key_hash;
use crate::store::{ChangeStatement, ChangedRow, NewEvent};

const EMIT: &str = "emit changed rows";

impl SqliteStore {
    pub(super) async fn append_changed_rows(
        &self,
        connection: &mut SqliteConnection,
        statement: ChangeStatement,
        arguments: SqliteArguments,
    ) -> Result<Vec<ChangedRow>> {
        let rows = sqlx::query_with(statement.sql, arguments)
            .fetch_all(&mut *connection)
            .await
            .during(EMIT)?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let events: Vec<NewEvent> =
            rows.iter().map(|row| new_event(row, &statement)).collect::<Result<_>>()?;
        let emitted = self.append_all(connection, &events).await?;
        let changed = events.into_iter().zip(emitted);
        Ok(changed
            .map(|(event, emitted)| ChangedRow { payload: event.payload, key: event.key, emitted })
            .collect())
    }
}

fn new_event(row: &SqliteRow, statement: &ChangeStatement) -> Result<NewEvent> {
    let mut fields = Map::new();
    for column in row.columns() {
        fields.insert(column.name().to_owned(), value(row, column.ordinal())?);
    }
    let key = statement.key_column.and_then(|column| match fields.get(column)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    });
    let id = Uuid::now_v7();
    Ok(NewEvent {
        id,
        name: statement.name,
        version: statement.version,
        key_hash: key_hash(key.as_deref(), id),
        key,
        payload: to_raw_value(&fields).map_err(|error| refused(&error.to_string()))?,
        headers: statement.headers.clone(),
        dedup_key: None,
    })
}

/// A column as JSON: booleans and JSON by their declared type, UUIDs as sqlx stores them.
fn value(row: &SqliteRow, index: usize) -> Result<Value> {
    let raw = row.try_get_raw(index).during(EMIT)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let declared = row.column(index).type_info().name().to_ascii_uppercase();
    Ok(match raw.type_info().name() {
        "INTEGER" | "BOOLEAN" if declared == "BOOLEAN" => {
            Value::Bool(row.try_get_unchecked(index).during(EMIT)?)
        }
        "INTEGER" | "BOOLEAN" => Value::from(row.try_get_unchecked::<i64, _>(index).during(EMIT)?),
        "REAL" => Value::from(row.try_get_unchecked::<f64, _>(index).during(EMIT)?),
        "BLOB" => {
            let bytes: Vec<u8> = row.try_get_unchecked(index).during(EMIT)?;
            let id = Uuid::from_slice(&bytes).map_err(|_| {
                let name = row.column(index).name();
                refused(&format!("column `{name}` is a blob, which JSON has no place for"))
            })?;
            Value::String(id.to_string())
        }
        _ => {
            let text: String = row.try_get_unchecked(index).during(EMIT)?;
            match declared.as_str() {
                "JSON" | "JSONB" => serde_json::from_str(&text).map_err(|error| {
                    refused(&format!("a JSON column holds something else: {error}"))
                })?,
                _ => Value::String(text),
            }
        }
    })
}

fn refused(why: &str) -> Error {
    Error::new(ErrorKind::Refused, EMIT, why)
}
