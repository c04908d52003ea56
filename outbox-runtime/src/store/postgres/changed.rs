//! Changing rows and emitting one event for each, in one statement.

use sqlx::postgres::PgArguments;
use sqlx::types::Json;
use sqlx::{Arguments, AssertSqlSafe, PgConnection, Row};

use super::PostgresStore;
use crate::error::{During, Error, ErrorKind, Result};
use crate::event::Emitted;
use crate::store::{ChangeStatement, ChangedRow};

const EMIT: &str = "emit changed rows";

impl PostgresStore {
    pub(super) async fn append_changed_rows(
        &self,
        connection: &mut PgConnection,
        statement: ChangeStatement,
        mut arguments: PgArguments,
    ) -> Result<Vec<ChangedRow>> {
        let theirs = arguments.len();
        let numbers =
            [("{name}", 1), ("{version}", 2), ("{headers}", 3), ("{key}", 4), ("{now}", 5)];
        let mut sql = self.sql.append_changed.text().to_owned();
        for (brace, number) in numbers {
            sql = sql.replace(brace, &(theirs + number).to_string());
        }
        // Last, so that nothing in the user's text is taken for one of ours. It is a literal of the
        // user's program, as any other query.
        let theirs = statement.sql.trim_end().trim_end_matches(';');
        let sql = sql.replacen("{statement}", theirs, 1);
        arguments
            .add(statement.name)
            .and_then(|()| arguments.add(statement.version as i32))
            .and_then(|()| arguments.add(Json(&statement.headers)))
            .and_then(|()| arguments.add(statement.key_column))
            .and_then(|()| arguments.add(self.clock.fixed()))
            .map_err(|error| Error::new(ErrorKind::Refused, EMIT, error.to_string()))?;
        let rows = self
            .pool
            .query_with(AssertSqlSafe(sql), arguments)
            .fetch_all(connection)
            .await
            .during(EMIT)?;
        rows.iter()
            .map(|row| {
                Ok(ChangedRow {
                    emitted: Emitted {
                        position: row.try_get(0)?,
                        id: row.try_get(1)?,
                        duplicate: false,
                    },
                    key: row.try_get(2)?,
                    payload: row.try_get(3)?,
                })
            })
            .collect::<sqlx::Result<_>>()
            .during(EMIT)
    }
}
