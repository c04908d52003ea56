//! The migrations of both databases, embedded.

/// The format of the tables that this code reads and writes: the number of the newest migration.
pub(crate) const FORMAT_VERSION: i32 = 2;

#[cfg(feature = "postgres")]
pub(crate) const POSTGRES: [(i32, &str); 2] = [
    (1, include_str!("../../migrations/postgres/0001_create_outbox.sql")),
    (2, include_str!("../../migrations/postgres/0002_fleets.sql")),
];

#[cfg(feature = "sqlite")]
pub(crate) const SQLITE: [(i32, &str); 2] = [
    (1, include_str!("../../migrations/sqlite/0001_create_outbox.sql")),
    (2, include_str!("../../migrations/sqlite/0002_fleets.sql")),
];

/// What the `meta` table says about the format, compared with what this code knows.
pub(crate) fn check(found: Option<i32>) -> crate::error::Result<()> {
    use crate::error::{Error, ErrorKind};
    match found {
        Some(version) if version == FORMAT_VERSION => Ok(()),
        Some(version) if version > FORMAT_VERSION => Err(Error::new(
            ErrorKind::FormatTooNew,
            "check the format",
            format!(
                "the outbox tables have format {version}, this version of outbox-runtime knows \
                 {FORMAT_VERSION}: deploy a newer version of your service"
            ),
        )),
        Some(version) => Err(Error::new(
            ErrorKind::NotMigrated,
            "check the format",
            format!(
                "the outbox tables have format {version}, this version of outbox-runtime needs \
                 {FORMAT_VERSION}: call `Outbox::migrate()` first"
            ),
        )),
        None => Err(Error::new(
            ErrorKind::NotMigrated,
            "check the format",
            "the outbox tables are missing: call `Outbox::migrate()` first",
        )),
    }
}
