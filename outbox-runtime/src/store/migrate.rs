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
macro_rules! way_out {
    () => {
        "call `Outbox::migrate()`, or write migration files with `outbox migrations generate` and \
         apply them with `sqlx migrate run`"
    };
}

/// What is said where there are no tables.
pub(crate) const TABLES_ARE_MISSING: &str = concat!("the outbox tables are missing: ", way_out!());

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
                "the outbox tables have format {found}, this version of outbox-runtime needs {known}: {}",
                way_out!()
            ),
        ),
        None => (ErrorKind::NotMigrated, TABLES_ARE_MISSING.to_owned()),
    };
    Err(Error::new(kind, CHECK, message))
}
