//! The one error type of the crate: what failed, at what, and whether trying again may help.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// What went wrong, for code that decides what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A name (of an event, a consumer, a schema) breaks the rules for such names.
    InvalidName,
    /// The event was refused before anything was written: the message names the event and the limit.
    Refused,
    /// A stored payload does not fit the Rust type that it was read as.
    Undecodable,
    /// The engine's tables are missing or older than this crate.
    NotMigrated,
    /// The tables were made by a newer version of this crate.
    FormatTooNew,
    /// A dedup key, an event id or a delivery that was named does not exist.
    NotFound,
    /// The options contradict one another.
    InvalidOptions,
    /// Somebody still needs what was to be removed.
    InUse,
    /// The database refused the credentials, the database or the role.
    AccessDenied,
    /// Another worker took over; nothing was changed.
    LeaseLost,
    /// The database aborted the transaction to resolve a conflict (deadlock, serialization
    /// failure, busy): run the transaction again.
    Conflict,
    /// The database cannot be reached, is out of connections, memory or space, is read-only for the
    /// time being, is shutting down, or took too long: try again later.
    Unavailable,
    /// The pool was closed by this process: nothing can succeed any more.
    Closed,
    /// Any other answer of the database.
    Database,
}

/// An error of the outbox: an operation, a [kind](ErrorKind), a message and the cause.
///
/// ```
/// use outbox_runtime::{EventName, ErrorKind};
///
/// let error = EventName::new("Order Placed").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidName);
/// assert!(!error.is_temporary());
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    operation: &'static str,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn new(
        kind: ErrorKind,
        operation: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self(Box::new(Inner { kind, operation, message: message.into(), source: None }))
    }

    /// Wraps what the database said, naming the operation that failed.
    pub(crate) fn database(operation: &'static str, source: sqlx::Error) -> Self {
        let (kind, message) = classify(&source);
        Self(Box::new(Inner { kind, operation, message, source: Some(Box::new(source)) }))
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operation that failed, as a few words: `"emit"`, `"read the log"`.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// Whether the same call may succeed later without anybody changing anything here.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Conflict | ErrorKind::Unavailable)
    }

    /// Whether the server that the connection goes to takes no writes: a standby, or one that was
    /// set so.
    pub(crate) fn is_read_only(&self) -> bool {
        self.code().is_some_and(|code| code == "25006")
    }

    /// Whether somebody else holds SQLite's write lock.
    #[cfg(feature = "sqlite")]
    pub(crate) fn is_busy(&self) -> bool {
        self.code().and_then(|code| primary(&code)).is_some_and(|code| code == 5)
    }

    /// The database said nothing for so long.
    pub(crate) fn no_answer(operation: &'static str, longest: Duration) -> Self {
        let message = format!("no answer for {longest:?}");
        Self::new(ErrorKind::Unavailable, operation, message).with_source(NoAnswer)
    }

    pub(crate) fn is_no_answer(&self) -> bool {
        self.0.source.as_ref().is_some_and(|source| source.is::<NoAnswer>())
    }

    /// What was read in a transaction that somebody else left open.
    #[cfg(feature = "postgres")]
    pub(crate) fn stray(operation: &'static str) -> Self {
        Self::new(ErrorKind::Unavailable, operation, Stray.to_string()).with_source(Stray)
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn is_stray(&self) -> bool {
        self.0.source.as_ref().is_some_and(|source| source.is::<Stray>())
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        self.0.source.as_ref()?.downcast_ref::<sqlx::Error>()?.as_database_error()?.code()
    }
}

/// Nobody waits any longer.
#[derive(Debug)]
struct NoAnswer;

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection may have fallen silent")
    }
}

impl std::error::Error for NoAnswer {}

/// The connection was in a transaction that somebody had left open.
#[cfg(feature = "postgres")]
#[derive(Debug)]
struct Stray;

#[cfg(feature = "postgres")]
impl fmt::Display for Stray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection was inside a transaction that somebody had left open")
    }
}

#[cfg(feature = "postgres")]
impl std::error::Error for Stray {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.operation, self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("operation", &self.0.operation)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// Adds the name of the operation to what sqlx reports.
pub(crate) trait During<T> {
    fn during(self, operation: &'static str) -> Result<T>;
}

impl<T> During<T> for sqlx::Result<T> {
    fn during(self, operation: &'static str) -> Result<T> {
        self.map_err(|source| Error::database(operation, source))
    }
}

fn classify(source: &sqlx::Error) -> (ErrorKind, String) {
    match source {
        sqlx::Error::Database(database) => {
            let code = database.code();
            let kind = code.as_deref().map_or(ErrorKind::Database, kind_of_code);
            let message = database.message();
            // SQLite has no code of its own for it.
            let kind = match code.as_deref() {
                Some("1") if message.starts_with("no such table") => ErrorKind::NotMigrated,
                _ => kind,
            };
            (kind, explain(kind, code.as_deref().unwrap_or_default(), message))
        }
        sqlx::Error::PoolTimedOut => (ErrorKind::Unavailable, NO_CONNECTION.to_owned()),
        sqlx::Error::PoolClosed => (ErrorKind::Closed, "the pool was closed".to_owned()),
        sqlx::Error::Io(_)
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_) => (ErrorKind::Unavailable, source.to_string()),
        sqlx::Error::Configuration(_) => (ErrorKind::InvalidOptions, source.to_string()),
        _ => (ErrorKind::Database, source.to_string()),
    }
}

const NO_CONNECTION: &str = "no connection in time: either the database does not answer, or all \
    connections of the pool are in use; then give the pool more, or hold them for a shorter time";

/// SQLSTATE codes of Postgres (appendix A of its manual) are five characters; SQLite's result
/// codes (sqlite.org/rescode.html) are decimal numbers whose low byte is the primary code.
fn kind_of_code(code: &str) -> ErrorKind {
    if let Some(code) = primary(code) {
        return match code {
            5 | 6 => ErrorKind::Conflict,
            // Memory, interrupted, disk, full, cannot open, a race for the write-ahead log.
            7 | 9 | 10 | 13 | 14 | 15 => ErrorKind::Unavailable,
            3 | 8 | 23 => ErrorKind::AccessDenied,
            _ => ErrorKind::Database,
        };
    }
    match code {
        "40001" | "40P01" => ErrorKind::Conflict,
        "28000" | "28P01" | "3D000" | "42501" => ErrorKind::AccessDenied,
        "42P01" | "3F000" => ErrorKind::NotMigrated,
        // A statement with that name is there already, or is not.
        "42P05" | "26000" => ErrorKind::InvalidOptions,
        // A standby; the session's or the transaction's time is up; a lock was not free in time;
        // the disk failed.
        "25006" | "25P03" | "55P03" | "58030" => ErrorKind::Unavailable,
        // Connections; resources: space, memory, connections; an operator: cancelled, shut down,
        // crashed, starting up, dropped.
        _ if ["08", "53", "57"].contains(&&code[..2]) => ErrorKind::Unavailable,
        _ => ErrorKind::Database,
    }
}

/// The primary result code, if it is one of SQLite's.
fn primary(code: &str) -> Option<i32> {
    if code.len() == 5 {
        return None;
    }
    Some(code.parse::<i32>().map_or(1, |number| number & 0xff))
}

/// Adds the way out to the message of the database, where there is one way.
fn explain(kind: ErrorKind, code: &str, message: &str) -> String {
    let advice = match (kind, code) {
        (ErrorKind::NotMigrated, _) => crate::store::TABLES_ARE_MISSING,
        (ErrorKind::Conflict, "5" | "261" | "517" | "773") => {
            "another connection is writing, or has written since this transaction began; begin \
             transactions that write with `Outbox::begin()` or `BEGIN IMMEDIATE`, and keep them short"
        }
        (_, "25006") => "the server is a standby or was made read-only; connect to the primary",
        (_, "53300") => "give the role or the server more connections, or the pools fewer",
        (_, "57014") => {
            "the statement was cancelled, or took longer than `statement_timeout` allows"
        }
        (_, "25P03" | "57P05") => "see the server's `idle_in_transaction_session_timeout` and such",
        (_, "55P03") => "a lock was not free; see `lock_timeout`, and who holds it",
        (_, "42P05" | "26000") => {
            "a connection pooler in transaction mode seems to be in between; build the outbox with \
             `OutboxBuilder::poll_only()`, and run your own queries on this pool inside transactions \
             and with `.persistent(false)`"
        }
        (_, "08P01") if message.contains("startup parameter") => {
            "a connection pooler is in between; for PgBouncer, set `ignore_startup_parameters = \
             extra_float_digits`, or connect with `PgConnectOptions::extra_float_digits(None)`"
        }
        (_, "26") => "the file is there, but SQLite did not write it; check the path",
        (_, "11") => "the file is damaged; restore it from a backup, or try `.recover`",
        (ErrorKind::AccessDenied, _) if primary(code) == Some(8) => {
            "check the permissions of the file and its directory, and that the pool is not read-only"
        }
        _ => return message.to_owned(),
    };
    format!("{message}: {advice}")
}

/// Whether the database aborted a transaction for a conflict with another one, anywhere in the
/// chain of causes: such a transaction is repeated and counts as no attempt.
pub(crate) fn is_conflict(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(sqlx::Error::Database(database)) = error.downcast_ref::<sqlx::Error>() {
            return database.code().is_some_and(|code| kind_of_code(&code) == ErrorKind::Conflict);
        }
        if let Some(error) = error.downcast_ref::<Error>()
            && error.kind() == ErrorKind::Conflict
        {
            return true;
        }
        next = error.source();
    }
    false
}

#[cfg(test)]
mod tests;
