//! The service on Postgres.

use anyhow::Context;
use outbox_runtime::{
    ConsumerError, Delivery, Outbox, Outcome, Postgres, State, Tx, consumer, registry,
};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};

use super::{Count, CountRow, Database, Opened, Totals, TotalsRow, sql};
use crate::consumers;
use crate::events::{ReleaseAnnounced, WebhookReceived};
use crate::webhook::Webhook;

registry! {
    /// Everything that the service emits and consumes. Only events that are listed here can be
    /// emitted, and only consumers that are listed here run; the compiler checks the rest.
    pub(crate) struct OnPostgres;
    state: Outbox<OnPostgres, Postgres>,
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
    tx: &mut Tx<'_, Postgres>,
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
    tx: &mut Tx<'_, Postgres>,
    State(outbox): State<Outbox<OnPostgres, Postgres>>,
) -> Result<Outcome, ConsumerError> {
    consumers::announce(&webhook, tx, &outbox).await
}

/// `ordered`: the events of one repository one after another.
#[consumer(name = "feed.append", start = beginning, ordered)]
async fn append(
    webhook: Delivery<WebhookReceived>,
    State(outbox): State<Outbox<OnPostgres, Postgres>>,
) -> Result<Outcome, ConsumerError> {
    consumers::append(&webhook, &outbox).await
}

impl Opened<Postgres> {
    /// Connects to the server.
    pub(crate) async fn postgres(url: &str) -> anyhow::Result<Self> {
        let options: PgConnectOptions =
            url.parse().context("--database-url is not the URL of a Postgres server")?;
        // The URL holds the password, the name does not.
        let database = options.get_database().unwrap_or(options.get_username());
        let name = format!("Postgres, {database} on {}:{}", options.get_host(), options.get_port());
        // The service's own tables are in a schema of their own, and so are the outbox's.
        let options = options.options([("search_path", "quickstart")]);
        let pool = PgPoolOptions::new()
            .max_connections(10)
            .connect_with(options)
            .await
            .with_context(|| format!("cannot connect to {name}"))?;
        Ok(Self { pool, name })
    }
}

impl Database for Postgres {
    type Registry = OnPostgres;

    async fn create_tables(pool: &PgPool) -> sqlx::Result<()> {
        sqlx::raw_sql(include_str!("postgres.sql")).execute(pool).await?;
        Ok(())
    }

    async fn insert_webhook(tx: &mut PgConnection, webhook: &Webhook) -> sqlx::Result<bool> {
        let inserted = sqlx::query(sql::INSERT_WEBHOOK)
            .bind(&webhook.delivery_id)
            .bind(&webhook.kind)
            .bind(&webhook.repository)
            .bind(&webhook.body)
            .execute(tx)
            .await?;
        Ok(inserted.rows_affected() == 1)
    }

    async fn add_to_count(tx: &mut PgConnection, repository: &str, kind: &str) -> sqlx::Result<()> {
        sqlx::query(sql::ADD_TO_COUNT).bind(repository).bind(kind).execute(tx).await?;
        Ok(())
    }

    async fn append_to_feed(
        tx: &mut PgConnection,
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
        tx: &mut PgConnection,
        repository: &str,
        position: i64,
    ) -> sqlx::Result<Option<i64>> {
        let later = sqlx::query_scalar(sql::LATER_IN_FEED).bind(repository).bind(position);
        later.fetch_one(tx).await
    }

    async fn counts(pool: &PgPool) -> sqlx::Result<Vec<Count>> {
        let rows: Vec<CountRow> = sqlx::query_as(sql::COUNTS).fetch_all(pool).await?;
        Ok(rows.into_iter().map(Count::from).collect())
    }

    async fn totals(pool: &PgPool) -> sqlx::Result<Totals> {
        let row: TotalsRow = sqlx::query_as(sql::TOTALS).fetch_one(pool).await?;
        Ok(Totals::from(row))
    }
}
