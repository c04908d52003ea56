//! The service on SQLite: one file, no server.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use outbox_runtime::{
    ConsumerError, Delivery, Outbox, Outcome, Sqlite, State, Tx, consumer, registry,
};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};

use super::{Count, CountRow, Database, Opened, Totals, TotalsRow, sql};
use crate::consumers;
use crate::events::{ReleaseAnnounced, WebhookReceived};
use crate::webhook::Webhook;

registry! {
    /// Everything that the service emits and consumes. Only events that are listed here can be
    /// emitted, and only consumers that are listed here run; the compiler checks the rest.
    pub(crate) struct OnSqlite;
    state: Outbox<OnSqlite, Sqlite>,
    events: [WebhookReceived, ReleaseAnnounced],
    consumers: [
        count,
        append,
        announce,
        consumers::notify,
        consumers::index,
        consumers::remind,
        consumers::post,
    ],
}

/// `delivery = tx`: the transaction is the one that records the consumer's progress.
#[consumer(name = "repository.count", start = beginning, delivery = tx)]
async fn count(
    webhook: Delivery<WebhookReceived>,
    tx: &mut Tx<'_, Sqlite>,
) -> Result<(), ConsumerError> {
    consumers::count(&webhook, tx).await
}

/// A consumer in a transaction may also emit in it.
#[consumer(
    name = "release.announce",
    start = beginning,
    delivery = tx,
    when = |webhook| webhook.is("release", "published"),
)]
async fn announce(
    webhook: Delivery<WebhookReceived>,
    tx: &mut Tx<'_, Sqlite>,
    State(outbox): State<Outbox<OnSqlite, Sqlite>>,
) -> Result<Outcome, ConsumerError> {
    consumers::announce(&webhook, tx, &outbox).await
}

/// `ordered`: the events of one repository one after another.
#[consumer(name = "feed.append", start = beginning, ordered)]
async fn append(
    webhook: Delivery<WebhookReceived>,
    State(outbox): State<Outbox<OnSqlite, Sqlite>>,
) -> Result<Outcome, ConsumerError> {
    consumers::append(&webhook, &outbox).await
}

impl Opened<Sqlite> {
    /// Opens the file, or makes it.
    pub(crate) async fn sqlite(file: &Path) -> anyhow::Result<Self> {
        let name = format!("SQLite, {}", file.display());
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot create the folder {}", folder.display()))?;
        }
        // In WAL mode readers and the writer do not wait for one another; writers take turns.
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(30));
        let pool = SqlitePoolOptions::new()
            .max_connections(10)
            .connect_with(options)
            .await
            .with_context(|| format!("cannot open {name}"))?;
        Ok(Self { pool, name })
    }
}

impl Database for Sqlite {
    type Registry = OnSqlite;

    async fn create_tables(pool: &SqlitePool) -> sqlx::Result<()> {
        sqlx::raw_sql(include_str!("sqlite.sql")).execute(pool).await?;
        Ok(())
    }

    async fn insert_webhook(tx: &mut SqliteConnection, webhook: &Webhook) -> sqlx::Result<bool> {
        let inserted = sqlx::query(sql::INSERT_WEBHOOK)
            .bind(&webhook.delivery_id)
            .bind(&webhook.kind)
            .bind(&webhook.repository)
            .bind(&webhook.body)
            .execute(tx)
            .await?;
        Ok(inserted.rows_affected() == 1)
    }

    async fn add_to_count(
        tx: &mut SqliteConnection,
        repository: &str,
        kind: &str,
    ) -> sqlx::Result<()> {
        sqlx::query(sql::ADD_TO_COUNT).bind(repository).bind(kind).execute(tx).await?;
        Ok(())
    }

    async fn append_to_feed(
        tx: &mut SqliteConnection,
        repository: &str,
        position: i64,
        line: &str,
    ) -> sqlx::Result<bool> {
        let appended = sqlx::query(sql::APPEND_TO_FEED)
            .bind(repository)
            .bind(position)
            .bind(line)
            .execute(tx)
            .await?;
        Ok(appended.rows_affected() == 1)
    }

    async fn later_in_feed(
        tx: &mut SqliteConnection,
        repository: &str,
        position: i64,
    ) -> sqlx::Result<Option<i64>> {
        let later = sqlx::query_scalar(sql::LATER_IN_FEED).bind(repository).bind(position);
        later.fetch_one(tx).await
    }

    async fn counts(pool: &SqlitePool) -> sqlx::Result<Vec<Count>> {
        let rows: Vec<CountRow> = sqlx::query_as(sql::COUNTS).fetch_all(pool).await?;
        Ok(rows.into_iter().map(Count::from).collect())
    }

    async fn totals(pool: &SqlitePool) -> sqlx::Result<Totals> {
        let row: TotalsRow = sqlx::query_as(sql::TOTALS).fetch_one(pool).await?;
        Ok(Totals::from(row))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use outbox_codegen::assert_up_to_date_in;
    use outbox_codegen::schemas::{self, Snapshot};
    use outbox_runtime::Registry;

    use super::OnSqlite;

    /// `OUTBOX_GENERATE=1 cargo test -p quickstart schemas` writes them.
    #[test]
    fn the_committed_schemas_are_those_of_the_events() -> Result<(), schemas::Error> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/quickstart");
        if std::env::var_os("OUTBOX_GENERATE").is_some() {
            schemas::generate(&Snapshot::of(&OnSqlite::registry()), &folder)?;
        }
        assert_up_to_date_in::<OnSqlite>(folder);
        Ok(())
    }
}
