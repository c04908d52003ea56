//! From rows to the engine's types, and from its types to JSON for statements that take many.
//!
//! SQLite has no array parameters: what Postgres gets as arrays, SQLite gets as one JSON array of
//! objects, which `json_each` turns into rows. A UUID travels as hexadecimal digits, a payload as
//! a JSON string, so that its text comes out exactly as it went in.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use sqlx::types::Json;
use uuid::fmt::Simple;

use super::{NEVER, later};
use crate::event::{Position, StoredEvent};
use crate::headers::Headers;
use crate::store::{
    AttemptError, AuditEntry, Due, NewDelivery, NewEvent, ShardId, UpdatedDelivery,
};

/// The first eight columns of a row: position, id, name, version, key, payload, headers, time.
pub(super) fn event(row: &SqliteRow) -> sqlx::Result<StoredEvent> {
    Ok(StoredEvent {
        position: row.try_get(0)?,
        id: row.try_get(1)?,
        name: row.try_get(2)?,
        version: row.try_get(3)?,
        key: row.try_get(4)?,
        payload: row.try_get(5)?,
        headers: row.try_get::<Json<Headers>, _>(6)?.0,
        created_at: time(row.try_get(7)?)?,
    })
}

/// A column of microseconds as a time.
pub(super) fn time(us: i64) -> sqlx::Result<DateTime<Utc>> {
    DateTime::from_timestamp_micros(us)
        .ok_or_else(|| sqlx::Error::Decode(format!("{us} microseconds are no time").into()))
}

/// A nullable column of microseconds as a time.
pub(super) fn time_or_none(us: Option<i64>) -> sqlx::Result<Option<DateTime<Utc>>> {
    us.map(time).transpose()
}

/// A row of `append_all`.
#[derive(Serialize)]
pub(super) struct EventValues<'a> {
    id: Simple,
    key: Option<&'a str>,
    key_hash: i32,
    payload: &'a str,
    headers: &'a Headers,
}

impl<'a> From<&'a NewEvent> for EventValues<'a> {
    fn from(event: &'a NewEvent) -> Self {
        Self {
            id: event.id.simple(),
            key: event.key.as_deref(),
            key_hash: event.key_hash,
            payload: event.payload.get(),
            headers: &event.headers,
        }
    }
}

/// A row of `insert_deliveries`.
#[derive(Serialize)]
pub(super) struct DeliveryValues<'a> {
    event_id: Simple,
    name: &'a str,
    version: u32,
    key: Option<&'a str>,
    key_hash: i32,
    payload: &'a str,
    headers: &'a Headers,
    event_created_at_us: i64,
    #[serde(flatten)]
    update: UpdateValues<'a>,
}

impl<'a> DeliveryValues<'a> {
    pub(super) fn new(row: &'a NewDelivery, now_us: i64) -> Self {
        Self {
            event_id: row.event.id.simple(),
            name: &row.event.name,
            version: row.event.version,
            key: row.event.key.as_deref(),
            key_hash: row.key_hash,
            payload: row.event.payload.get(),
            headers: &row.event.headers,
            event_created_at_us: row.event.created_at.timestamp_micros(),
            update: UpdateValues {
                position: row.event.position,
                state: row.state.as_str(),
                attempts: row.attempts,
                due_at_us: due_at(row.due, now_us),
                started: row.started,
                error: row.error.as_ref(),
            },
        }
    }
}

/// A row of `update_deliveries`.
#[derive(Serialize)]
pub(super) struct UpdateValues<'a> {
    position: Position,
    state: &'static str,
    attempts: u32,
    due_at_us: i64,
    started: bool,
    error: Option<&'a AttemptError>,
}

impl<'a> UpdateValues<'a> {
    pub(super) fn new(row: &'a UpdatedDelivery, now_us: i64) -> Self {
        Self {
            position: row.position,
            state: row.state.as_str(),
            attempts: row.attempts,
            due_at_us: due_at(row.due, now_us),
            started: row.started,
            error: row.error.as_ref(),
        }
    }
}

/// A row of `insert_audit`.
#[derive(Serialize)]
pub(super) struct AuditValues<'a> {
    position: Position,
    event_id: Simple,
    outcome: &'static str,
    note: Option<&'a str>,
    attempt: u32,
}

impl<'a> From<&'a AuditEntry> for AuditValues<'a> {
    fn from(entry: &'a AuditEntry) -> Self {
        Self {
            position: entry.position,
            event_id: entry.event_id.simple(),
            outcome: entry.outcome,
            note: entry.note.as_deref(),
            attempt: entry.attempt,
        }
    }
}

/// A shard, as the statements about leases take it.
#[derive(Serialize)]
pub(super) struct ShardValues {
    consumer: &'static str,
    shard: u32,
    in_flight: u32,
}

impl ShardValues {
    pub(super) fn new(id: &ShardId, in_flight: u32) -> Self {
        Self { consumer: id.consumer, shard: id.shard, in_flight }
    }
}

fn due_at(due: Due, now_us: i64) -> i64 {
    match due {
        Due::Never => NEVER,
        Due::In(wait) => later(now_us, wait),
        Due::At(at) => at.timestamp_micros(),
    }
}
