//! The migrations of both databases, embedded.

use crate::error::{Error, ErrorKind, Result};

/// A migration of the engine: its number, which is the format that the tables have after it, and its
/// text, written for the namespace `outbox`.
pub(crate) type Step = (i32, &'static str);

pub(crate) const POSTGRES: &[Step] = &[
    (1, include_str!("../../migrations/postgres/0001_create_outbox.sql")),
    (2, include_str!("../../migrations/postgres/0002_fleets.sql")),
    (3, include_str!("../../migrations/postgres/0003_call_from_sql.sql")),
];

pub(crate) const SQLITE: &[Step] = &[
    (1, include_str!("../../migrations/sqlite/0001_create_outbox.sql")),
    (2, include_str!("../../migrations/sqlite/0002_fleets.sql")),
];

const CHECK: &str = "check the format";

/// What to do about tables that are missing or old.
pub(crate) const HOW_TO_MIGRATE: &str = "call `Outbox::migrate()`, or write migration files with \
     `outbox migrations generate` and apply them with `sqlx migrate run`";

/// The format that this code reads and writes: that of the newest migration.
pub(crate) fn newest(steps: &[Step]) -> i32 {
    steps.last().map_or(0, |(number, _)| *number)
}

/// What the `meta` table says about the format, compared with what this code knows.
pub(crate) fn check(found: Option<i32>, steps: &[Step]) -> Result<()> {
    let known = newest(steps);
    let (kind, message) = match found {
        Some(found) if found == known => return Ok(()),
        Some(found) if found > known => (
            ErrorKind::FormatTooNew,
            format!(
                "the outbox tables have format {found}, this version of outbox-runtime knows {known}: \
                 deploy a newer version of your service"
            ),
        ),
        Some(found) => (
            ErrorKind::NotMigrated,
            format!(
                "the outbox tables have format {found}, this version of outbox-runtime needs {known}: \
                 {HOW_TO_MIGRATE}"
            ),
        ),
        None => {
            (ErrorKind::NotMigrated, format!("the outbox tables are missing: {HOW_TO_MIGRATE}"))
        }
    };
    Err(Error::new(kind, CHECK, message))
}
