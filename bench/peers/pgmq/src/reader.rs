//! What reads a queue.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use futures_util::{StreamExt, stream};
use outbox_contest::{Handler, Kind, Order};
use pgmq::{Message, PGMQueueExt};
use sqlx::{Connection, PgConnection};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Seconds until a message can be read again that was not deleted, as in the README.
const VISIBILITY: i32 = 30;
/// The documentation names no number; its makers' benchmark (<https://tembo.io/blog/mq-stack-benchmarking>)
/// reads 100 at once. With 1,000 less is spent on commits; with 5,000 a queue drains a little faster
/// still, but workers share it badly.
const BATCH: i32 = 1_000;
/// All keys at once: every read of groups looks at the whole queue, however few messages it returns.
const GROUPS: i32 = 10_000;
/// How long a read waits for messages: a second is the least that it can be told, and so the longest
/// that stopping takes. While it waits, vacuum leaves what it may see.
const WAIT: Duration = Duration::from_secs(1);
/// How often the database looks meanwhile. By default every 250 ms, which would be most of the
/// latency; the raw loop looks as often as this.
const POLL: Duration = Duration::from_millis(10);

/// One of the readers of a queue.
pub(crate) struct Reader {
    pub(crate) queue: PGMQueueExt,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) handler: Handler,
    /// So many handlers may run at once in this process.
    pub(crate) permits: Arc<Semaphore>,
}

impl Reader {
    /// How many there are of each queue: while one waits for its commits, another handles. Two that
    /// read groups would both look at the whole queue.
    pub(crate) fn count(kind: Kind) -> usize {
        if kind == Kind::Ordered { 1 } else { 2 }
    }

    pub(crate) async fn run(
        self,
        mut connection: PgConnection,
        stop: CancellationToken,
    ) -> Result<()> {
        while !stop.is_cancelled() {
            match self.kind {
                Kind::Plain | Kind::Ordered => self.handle(&mut connection).await?,
                Kind::Projection => self.project(&mut connection).await?,
            }
        }
        Ok(())
    }

    async fn read(&self, connection: &mut PgConnection) -> Result<Vec<Message<Order>>> {
        let (queue, name, wait, poll) = (&self.queue, &self.name, Some(WAIT), Some(POLL));
        Ok(match self.kind {
            Kind::Plain | Kind::Projection => {
                queue
                    .read_batch_with_poll_with_cxn(name, VISIBILITY, BATCH, wait, poll, connection)
                    .await?
            }
            // The first message of each group, unless it is being handled or has failed just now.
            Kind::Ordered => {
                queue
                    .read_grouped_head_with_poll_with_cxn(
                        name, VISIBILITY, GROUPS, wait, poll, connection,
                    )
                    .await?
            }
        })
    }

    /// Handles a batch all at once, as far as there are permits, and deletes what succeeded.
    async fn handle(&self, connection: &mut PgConnection) -> Result<()> {
        let messages = self.read(connection).await?;
        let at_once = messages.len().max(1);
        let handled: Vec<i64> = stream::iter(messages)
            .map(|message| self.handle_one(message))
            .buffer_unordered(at_once)
            .filter_map(async |handled| handled)
            .collect()
            .await;
        if !handled.is_empty() {
            self.queue.delete_batch_with_cxn(&self.name, &handled, connection).await?;
        }
        Ok(())
    }

    /// The number of the message, if it was handled.
    async fn handle_one(&self, message: Message<Order>) -> Option<i64> {
        let _permit = self.permits.acquire().await.ok()?;
        let order = message.message;
        self.handler.handle(order.n, &order).await.ok()?;
        Some(message.msg_id)
    }

    /// Reads, changes the rows and deletes in one transaction.
    async fn project(&self, connection: &mut PgConnection) -> Result<()> {
        let mut tx = connection.begin().await?;
        let mut messages = self.read(&mut tx).await?;
        // Readers that change the same rows change them in the same order.
        messages.sort_by(|one, other| one.message.key.cmp(&other.message.key));
        for Message { message: order, .. } in &messages {
            let upsert = sqlx::query(
                "insert into total (key, events) values ($1, 1)
                 on conflict (key) do update set events = total.events + 1",
            );
            upsert.bind(&order.key).execute(&mut *tx).await?;
            self.handler.handle(order.n, order).await?;
        }
        let handled: Vec<i64> = messages.iter().map(|message| message.msg_id).collect();
        self.queue.delete_batch_with_cxn(&self.name, &handled, &mut *tx).await?;
        Ok(tx.commit().await?)
    }
}
