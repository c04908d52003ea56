//! The log: appending, and reading in windows.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection, Row};
use uuid::Uuid;

use super::session::{query, query_as, query_scalar};
use super::window::{Server, Window, WindowProgress};
use super::{PostgresStore, micros, rows};
use crate::error::{During, Error, ErrorKind, Result};
use crate::event::{Emitted, Position, StoredEvent};
use crate::store::{FEW, NewEvent, Page, Probed, Pulse, Slice};

const READ: &str = "read the log";
const MARK: &str = "mark a place in the log";
const PROBE: &str = "probe the log";

/// How many positions one read looks at where few of them match: bounds the time of a read
/// however rare an event is.
const SCAN_POSITIONS: Position = 10_000;

/// The greater of the two limits in `open_window.sql`, which no page may exceed.
const MOST_IN_PAGE: u32 = 10_000;

// `open_window_few.sql` returns no more.
const _: () = assert!(FEW <= 32);

/// By how much the log must have grown, with nothing in it for the reader, to be worth a
/// transaction id of the reader's own.
pub(super) const WORTH_AN_ID: Position = 1_000;
// A read that finds nothing and draws no id has looked at everything.
const _: () = assert!(WORTH_AN_ID <= SCAN_POSITIONS);

impl PostgresStore {
    pub(super) async fn append_events(
        &self,
        connection: &mut PgConnection,
        events: Vec<NewEvent>,
        dedup_ttl: Duration,
    ) -> Result<Vec<Emitted>> {
        if events.len() > 1 && events.iter().all(|event| event.dedup_key.is_none()) {
            return self.append_all(connection, &events).await;
        }
        let mut emitted = Vec::with_capacity(events.len());
        for event in &events {
            emitted.push(match &event.dedup_key {
                None => self.append_one(connection, event).await?,
                Some(key) => self.append_deduplicated(connection, event, key, dedup_ttl).await?,
            });
        }
        Ok(emitted)
    }

    async fn append_one(&self, connection: &mut PgConnection, event: &NewEvent) -> Result<Emitted> {
        let position = query_scalar(&self.sql.append)
            .bind(event.id)
            .bind(event.name)
            .bind(event.version as i32)
            .bind(event.key.as_deref())
            .bind(event.key_hash)
            .bind(&*event.payload)
            .bind(Json(&event.headers))
            .bind(self.clock.fixed())
            .fetch_one(connection)
            .await
            .during("emit")?;
        Ok(Emitted { id: event.id, position, duplicate: false })
    }

    async fn append_all(
        &self,
        connection: &mut PgConnection,
        events: &[NewEvent],
    ) -> Result<Vec<Emitted>> {
        let rows = query(&self.sql.append_all)
            .bind(events.iter().map(|event| event.id).collect::<Vec<_>>())
            .bind(events[0].name)
            .bind(events[0].version as i32)
            .bind(events.iter().map(|event| event.key.as_deref()).collect::<Vec<_>>())
            .bind(events.iter().map(|event| event.key_hash).collect::<Vec<_>>())
            .bind(
                events.iter().map(|event| Json(&*event.payload)).collect::<Vec<Json<&RawValue>>>(),
            )
            .bind(events.iter().map(|event| Json(&event.headers)).collect::<Vec<_>>())
            .bind(self.clock.fixed())
            .fetch_all(connection)
            .await
            .during("emit")?;
        rows.iter()
            .map(|row| {
                Ok(Emitted { id: row.try_get(0)?, position: row.try_get(1)?, duplicate: false })
            })
            .collect::<sqlx::Result<_>>()
            .during("emit")
    }

    async fn append_deduplicated(
        &self,
        connection: &mut PgConnection,
        event: &NewEvent,
        key: &str,
        ttl: Duration,
    ) -> Result<Emitted> {
        let position: Option<Position> = query_scalar(&self.sql.append_deduplicated)
            .bind(event.id)
            .bind(event.name)
            .bind(event.version as i32)
            .bind(event.key.as_deref())
            .bind(event.key_hash)
            .bind(&*event.payload)
            .bind(Json(&event.headers))
            .bind(key)
            .bind(micros(ttl))
            .bind(self.clock.fixed())
            .fetch_optional(&mut *connection)
            .await
            .during("emit with a dedup key")?;
        if let Some(position) = position {
            return Ok(Emitted { id: event.id, position, duplicate: false });
        }
        let (id, position) = query_as(&self.sql.find_dedup)
            .bind(event.name)
            .bind(key)
            .fetch_one(connection)
            .await
            .during("emit with a dedup key")?;
        Ok(Emitted { id, position, duplicate: true })
    }

    pub(super) async fn read_on(
        &self,
        connection: &mut PgConnection,
        progress: &WindowProgress,
        slice: &Slice,
        limit: u32,
    ) -> Result<Page<WindowProgress>> {
        let limit = limit.min(MOST_IN_PAGE);
        match &progress.window {
            None => self.open_window(connection, progress, slice, limit).await,
            Some(window) => self.continue_window(connection, progress, window, slice, limit).await,
        }
    }

    /// `connection` must not be in a transaction that has an id already.
    pub(super) async fn open_window(
        &self,
        connection: &mut PgConnection,
        progress: &WindowProgress,
        slice: &Slice,
        limit: u32,
    ) -> Result<Page<WindowProgress>> {
        self.open_window_with(connection, progress, progress.late(), slice, limit).await
    }

    /// `late` is what the progress says; a reader that is broken on purpose says that nothing is.
    /// `connection` must not be in a transaction that has an id already.
    pub(super) async fn open_window_with(
        &self,
        connection: &mut PgConnection,
        progress: &WindowProgress,
        late: Vec<String>,
        slice: &Slice,
        limit: u32,
    ) -> Result<Page<WindowProgress>> {
        let none_late = late.is_empty();
        if none_late
            && limit <= FEW
            && let Some(read) = self.open_few(connection, progress, slice, limit).await?
        {
            return opened(progress, read, limit);
        }
        let sql = &self.sql;
        let open = if none_late { &sql.open_window_none_late } else { &sql.open_window };
        let mut reading = query(open)
            .bind(progress.high)
            .bind(progress.next.to_string())
            .bind(SCAN_POSITIONS.max(i64::from(limit) * 4))
            .bind(slice.event_name)
            .bind(slice.shard as i32)
            .bind(slice.shards as i32)
            .bind(slice.not_before)
            .bind(i64::from(limit))
            .bind(WORTH_AN_ID);
        if !none_late {
            reading = reading.bind(late).bind(progress.late_upto(Position::MAX));
        }
        let rows = reading.fetch_all(connection).await.during(READ)?;
        opened(progress, self.page_of(&rows, progress)?, limit)
    }

    /// None where the sequence of positions does not say where it stands.
    async fn open_few(
        &self,
        connection: &mut PgConnection,
        progress: &WindowProgress,
        slice: &Slice,
        limit: u32,
    ) -> Result<Option<Read>> {
        let rows = query(&self.sql.open_window_few)
            .bind(progress.high)
            .bind(progress.next.to_string())
            .bind(SCAN_POSITIONS)
            .bind(slice.event_name)
            .bind(slice.shard as i32)
            .bind(slice.shards as i32)
            .bind(slice.not_before)
            .bind(i64::from(limit))
            .bind(WORTH_AN_ID)
            .fetch_all(connection)
            .await
            .during(READ)?;
        let first = rows.first().ok_or_else(no_head)?;
        let Some(head) = Head::beside(first).during(READ)? else { return Ok(None) };
        let events = match first.try_get::<Option<Position>, _>(0).during(READ)? {
            // Nothing was found: this row is there for what holds for the page.
            None => Vec::new(),
            Some(_) => {
                let events = rows.iter().map(|row| rows::event(row).map(Arc::new));
                events.collect::<sqlx::Result<_>>().during(READ)?
            }
        };
        self.believed(head, events, progress).map(Some)
    }

    pub(super) async fn continue_window(
        &self,
        connection: &mut PgConnection,
        progress: &WindowProgress,
        window: &Window,
        slice: &Slice,
        limit: u32,
    ) -> Result<Page<WindowProgress>> {
        let new_after = progress.new_after();
        let rows = query(&self.sql.continue_window)
            .bind(progress.late())
            .bind(window.after)
            .bind(progress.next.to_string())
            .bind(SCAN_POSITIONS.max(i64::from(limit) * 4))
            .bind(slice.event_name)
            .bind(slice.shard as i32)
            .bind(slice.shards as i32)
            .bind(slice.not_before)
            .bind(i64::from(limit))
            .bind(&window.upto)
            .bind(new_after)
            .bind(progress.late_upto(Position::MAX))
            .fetch_all(connection)
            .await
            .during(READ)?;
        let Read { head, events } = self.page_of(&rows, progress)?;
        let full = events.len() == limit as usize;
        let end = progress.clone().advanced(last(&events).filter(|_| full), head.bound);
        // More may have been committed since the window was opened.
        Ok(Page { events, start: progress.clone(), end, caught_up: false, now: head.now })
    }

    /// What a statement that reads by `progress` returned, if that may be believed.
    fn page_of(&self, rows: &[PgRow], progress: &WindowProgress) -> Result<Read> {
        let mut head = None;
        let mut events = Vec::with_capacity(rows.len());
        for row in rows {
            if row.try_get::<Option<Position>, _>(0).during(READ)?.is_some() {
                events.push(Arc::new(rows::event(row).during(READ)?));
            } else {
                let Json(read) = row.try_get::<Json<Head>, _>(5).during(READ)?;
                head = Some(read);
            }
        }
        self.believed(head.ok_or_else(no_head)?, events, progress)
    }

    fn believed(
        &self,
        mut head: Head,
        mut events: Vec<Arc<StoredEvent>>,
        progress: &WindowProgress,
    ) -> Result<Read> {
        progress.check_server(head.server)?;
        self.refuse_stray(head.stray, READ)?;
        head.now = self.read_time(head.now);
        // They come in this order, but SQL does not promise it of a `union all`.
        events.sort_unstable_by_key(|event: &Arc<StoredEvent>| event.position);
        Ok(Read { head, events })
    }

    pub(super) fn read_time(&self, database: DateTime<Utc>) -> DateTime<Utc> {
        self.clock.fixed().unwrap_or(database)
    }

    pub(super) async fn mark(&self) -> Result<WindowProgress> {
        let mut session = self.pool.own_session().await.during(MARK)?;
        let mark = self.mark_on(&mut session).await;
        self.pool.end_unless_stray(session, mark, MARK).await
    }

    /// `connection` must not be in a transaction that has an id already.
    async fn mark_on(&self, connection: &mut PgConnection) -> Result<WindowProgress> {
        let (upto, high, own, server, stray): (String, Position, String, Server, bool) =
            query_as(&self.sql.mark).fetch_one(connection).await.during(MARK)?;
        self.refuse_stray(stray, MARK)?;
        Ok(WindowProgress::seen(upto, parse_id(&own)?, high).on(server))
    }

    pub(super) async fn probe_log(
        &self,
        progress: &mut WindowProgress,
        consumers: &[&str],
    ) -> Result<Probed> {
        const MANY: i64 = 1_000;
        let mut session = self.pool.session().await.during(PROBE)?;
        let row: Result<ProbeRow> = query_as(&self.sql.probe)
            .bind(progress.late())
            .bind(progress.high)
            .bind(progress.next.to_string())
            .bind(WORTH_AN_ID)
            .bind(consumers)
            .fetch_one(&mut *session)
            .await
            .during(PROBE);
        let row = row.and_then(|row| self.refuse_stray(row.stray, PROBE).map(|()| row));
        if row.as_ref().is_ok_and(|row| row.own.is_some()) {
            session.drew_id(self.pool.connections());
        }
        let row = self.pool.end_unless_stray(session, row, PROBE).await?;
        let pulse = Pulse { revision: row.revision, free: row.free, workers: row.workers };
        if row.server != progress.server {
            // Another server: whatever it holds may be news.
            *progress = self.mark().await?;
            return Ok(Probed { pulse, names: None });
        }
        if let Some(own) = row.own {
            *progress = WindowProgress::seen(row.upto, parse_id(&own)?, row.high).on(row.server);
        }
        let names = (row.found < MANY).then(|| row.names.unwrap_or_default());
        Ok(Probed { pulse, names })
    }

    /// Nothing that was read in a transaction of somebody else may be believed: if it had an id
    /// before, that is no mark of this moment, and what it sees may be older than what has been seen
    /// elsewhere.
    fn refuse_stray(&self, is_stray: bool, operation: &'static str) -> Result<()> {
        #[cfg(test)]
        let is_stray = is_stray && self.sabotage.is_none();
        if is_stray { Err(Error::stray(operation)) } else { Ok(()) }
    }
}

/// See `probe.sql`.
struct ProbeRow {
    upto: String,
    high: Position,
    own: Option<String>,
    found: i64,
    names: Option<Vec<String>>,
    server: Server,
    stray: bool,
    revision: i64,
    free: i64,
    workers: Vec<Uuid>,
}

impl FromRow<'_, PgRow> for ProbeRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            upto: row.try_get(0)?,
            high: row.try_get(1)?,
            own: row.try_get(2)?,
            found: row.try_get(3)?,
            names: row.try_get(4)?,
            server: row.try_get(5)?,
            stray: row.try_get(6)?,
            revision: row.try_get(7)?,
            free: row.try_get(8)?,
            workers: row.try_get(9)?,
        })
    }
}

/// A page, with what holds for all of it.
struct Read {
    head: Head,
    events: Vec<Arc<StoredEvent>>,
}

/// What holds for a page: the row without a position in `open_window.sql`, or what stands beside the events.
#[derive(Deserialize)]
struct Head {
    now: DateTime<Utc>,
    server: Server,
    /// The last position that was looked at.
    bound: Position,
    stray: bool,
    /// Where a window was opened, if something was found or it is worth moving to its end.
    #[serde(default)]
    opened: Option<Opened>,
}

/// The end of a window: see `window.rs`.
#[derive(Deserialize)]
struct Opened {
    upto: String,
    high: Position,
    own: String,
}

impl Head {
    /// What stands beside an event: see `open_window_few.sql`.
    fn beside(row: &PgRow) -> sqlx::Result<Option<Self>> {
        let Some(high) = row.try_get(10)? else { return Ok(None) };
        let opened = match row.try_get(11)? {
            Some(own) => Some(Opened { upto: row.try_get(9)?, high, own }),
            None => None,
        };
        Ok(Some(Self {
            now: row.try_get(13)?,
            server: row.try_get(14)?,
            bound: row.try_get(12)?,
            stray: row.try_get(8)?,
            opened,
        }))
    }
}

/// The first page of a window, if one was opened.
fn opened(progress: &WindowProgress, read: Read, limit: u32) -> Result<Page<WindowProgress>> {
    let Read { head, events } = read;
    let Some(Opened { upto, high, own }) = head.opened else {
        let (start, end) = (progress.clone(), progress.clone());
        return Ok(Page { events, start, end, caught_up: true, now: head.now });
    };
    let mut start = progress.clone();
    start.window = Some(Window { upto, next: parse_id(&own)?, high, after: 0 });
    let full = events.len() == limit as usize;
    let end = start.clone().advanced(last(&events).filter(|_| full), head.bound);
    let caught_up = end.window.is_none();
    Ok(Page { events, start, end, caught_up, now: head.now })
}

fn no_head() -> Error {
    Error::new(ErrorKind::Database, READ, "the statement returned no head")
}

fn last(events: &[Arc<StoredEvent>]) -> Option<Position> {
    events.last().map(|event| event.position)
}

fn parse_id(text: &str) -> Result<u64> {
    text.parse().map_err(|error| {
        Error::new(ErrorKind::Database, "read the log", format!("transaction id {text:?}: {error}"))
    })
}
