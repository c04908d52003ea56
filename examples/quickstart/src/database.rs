//! What differs between the two databases. An application has one, and no such trait: it calls
//! sqlx directly where this example calls these functions.

mod postgres;
mod sqlite;

use std::future::Future;

use outbox_runtime::{Backend, Consumers, Outbox, Own, Registered};
use serde::Serialize;
use sqlx::{Pool, Result};

use crate::events::{ReleaseAnnounced, WebhookReceived};
use crate::webhook::Webhook;

/// A database that the service runs on.
pub(crate) trait Database: Backend {
    /// The service's events and consumers on this database. What its consumers take as their
    /// state is the outbox, because some of them emit events.
    type Registry: Consumers<Self, State = Outbox<Self::Registry, Self>>
        + Registered<WebhookReceived, Own>
        + Registered<ReleaseAnnounced, Own>;

    /// Creates the service's own tables, where they are missing.
    fn create_tables(pool: &Pool<Self>) -> impl Future<Output = Result<()>> + Send;

    /// Stores a webhook; says whether it is new.
    fn insert_webhook(
        tx: &mut Self::Connection,
        webhook: &Webhook,
    ) -> impl Future<Output = Result<bool>> + Send;

    /// Counts one more webhook.
    fn add_to_count(
        tx: &mut Self::Connection,
        repository: &str,
        kind: &str,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Appends a line to a repository's feed; says whether it is new.
    fn append_to_feed(
        tx: &mut Self::Connection,
        repository: &str,
        position: i64,
        line: &str,
    ) -> impl Future<Output = Result<bool>> + Send;

    /// A later event of the repository that is in the feed.
    fn later_in_feed(
        tx: &mut Self::Connection,
        repository: &str,
        position: i64,
    ) -> impl Future<Output = Result<Option<i64>>> + Send;

    /// All counts, by repository and kind.
    fn counts(pool: &Pool<Self>) -> impl Future<Output = Result<Vec<Count>>> + Send;

    /// How much is in the other tables.
    fn totals(pool: &Pool<Self>) -> impl Future<Output = Result<Totals>> + Send;
}

/// A database that is open, and what to call it in the report.
#[derive(Debug)]
pub(crate) struct Opened<DB: Database> {
    pub(crate) pool: Pool<DB>,
    pub(crate) name: String,
}

/// A row of the projection.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Count {
    pub(crate) repository: String,
    pub(crate) kind: String,
    pub(crate) webhooks: i64,
}

/// How much is in the tables.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Totals {
    /// Stored webhooks.
    pub(crate) webhooks: i64,
    /// Lines of the feed.
    pub(crate) feed: i64,
    /// Lines of the feed that were appended after a later one of their repository.
    pub(crate) feed_out_of_order: i64,
}

/// What the columns of a count are read as.
type CountRow = (String, String, i64);

/// What the columns of the totals are read as.
type TotalsRow = (i64, i64, i64);

impl From<CountRow> for Count {
    fn from((repository, kind, webhooks): CountRow) -> Self {
        Self { repository, kind, webhooks }
    }
}

impl From<TotalsRow> for Totals {
    fn from((webhooks, feed, feed_out_of_order): TotalsRow) -> Self {
        Self { webhooks, feed, feed_out_of_order }
    }
}

/// The service's statements. Both databases understand them as they are.
mod sql {
    pub(super) const INSERT_WEBHOOK: &str = "insert into webhook (delivery_id, kind, repository, body) \
        values ($1, $2, $3, $4) on conflict (delivery_id) do nothing";
    pub(super) const ADD_TO_COUNT: &str = "insert into repository_count (repository, kind, webhooks) \
        values ($1, $2, 1) \
        on conflict (repository, kind) do update set webhooks = repository_count.webhooks + 1";
    pub(super) const APPEND_TO_FEED: &str = "insert into feed (repository, position, line) \
        values ($1, $2, $3) on conflict (position) do nothing";
    pub(super) const LATER_IN_FEED: &str = "select max(position) from feed \
        where repository = $1 and position > $2";
    pub(super) const COUNTS: &str = "select repository, kind, webhooks from repository_count";
    pub(super) const TOTALS: &str = "select (select count(*) from webhook) as webhooks, \
        count(*) as feed, count(case when position < before then 1 end) as feed_out_of_order \
        from (select position, \
            lag(position) over (partition by repository order by id) as before from feed) f";
}
