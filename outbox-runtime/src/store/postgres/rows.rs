//! From rows to the engine's types.

use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::types::Json;

use crate::event::StoredEvent;
use crate::headers::Headers;

/// The first eight columns of a row: position, id, name, version, key, payload, headers, time.
pub(super) fn event(row: &PgRow) -> sqlx::Result<StoredEvent> {
    Ok(StoredEvent {
        position: row.try_get(0)?,
        id: row.try_get(1)?,
        name: row.try_get(2)?,
        version: row.try_get::<i32, _>(3)? as u32,
        key: row.try_get(4)?,
        payload: row.try_get(5)?,
        headers: row.try_get::<Json<Headers>, _>(6)?.0,
        created_at: row.try_get(7)?,
    })
}
