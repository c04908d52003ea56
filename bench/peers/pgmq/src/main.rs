//! pgmq 0.34.0-alpha.7, a message queue on Postgres, with the SQL of version 1.13.0 that is embedded in
//! it (README, "Versioned SQL-only installation").
//!
//! Each consumer is a queue of its own. Where there are several, all are bound to one topic, and
//! messages are sent to the topic (docs/topics.md, "Event Broadcasting (Fanout)"). Messages are sent in
//! the application's transaction (examples/transactions.rs), read in batches with a visibility timeout,
//! and deleted in batches once they are handled (README); a message whose handler fails is left until
//! its timeout is over. Order by key is that of its groups (docs/fifo-queues.md).
//!
//! Readers poll within the database (`read_batch_with_poll`), which its documentation recommends over
//! notifications (`PGMQueueExt::enable_notify_insert`): those cost emitters half of their throughput,
//! for they update one row of the queue in each transaction.

#![forbid(unsafe_code)]

mod reader;

use std::ops::Range;
use std::sync::Arc;

use anyhow::Result;
use outbox_contest::{Contestant, Handler, Kind, Order, Setup};
use pgmq::PGMQueueExt;
use serde::Serialize;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool, PgTransaction};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use reader::Reader;

/// What all consumers are interested in, where there are several.
const TOPIC: &str = "order.placed";
/// What waits is sent in batches of so many messages.
const FILL: usize = 5_000;

/// The header that makes messages of one key a group.
#[derive(Serialize)]
struct Group {
    #[serde(rename = "x-pgmq-group")]
    key: String,
}

struct Pgmq {
    setup: Setup,
    pool: PgPool,
    queue: PGMQueueExt,
}

#[tokio::main]
async fn main() -> Result<()> {
    outbox_contest::play::<Pgmq>(clap::Parser::parse()).await
}

impl Pgmq {
    fn names(&self) -> impl Iterator<Item = String> + use<> {
        (0..self.setup.consumers).map(|n| format!("consumer_{n}"))
    }

    /// Sends all of them with one statement, to the one queue or to the topic.
    async fn send(&self, tx: &mut PgTransaction<'_>, orders: &[Order]) -> Result<()> {
        let groups: Option<Vec<Group>> = (self.setup.kind == Kind::Ordered)
            .then(|| orders.iter().map(|order| Group { key: order.key.clone() }).collect());
        let group = groups.as_ref().and_then(|groups| groups.first());
        let (queue, groups) = (&self.queue, groups.as_deref());
        let names: Vec<String> = self.names().collect();
        match (names.as_slice(), orders) {
            ([name], [order]) => {
                queue.send_delay_with_headers_with_cxn(name, order, group, 0, &mut **tx).await?;
            }
            ([name], _) => {
                queue
                    .send_batch_with_delay_with_headers_with_cxn(name, orders, groups, 0, &mut **tx)
                    .await?;
            }
            (_, [order]) => {
                queue.send_topic_with_cxn(TOPIC, order, group, 0, &mut **tx).await?;
            }
            _ => {
                queue.send_batch_topic_with_cxn(TOPIC, orders, groups, 0, &mut **tx).await?;
            }
        }
        Ok(())
    }
}

impl Contestant for Pgmq {
    async fn open(setup: &Setup) -> Result<Self> {
        let pool = PgPoolOptions::new().max_connections(setup.connections);
        let pool = pool.connect(&setup.url).await?;
        let queue = PGMQueueExt::new_with_pool(pool.clone()).await;
        Ok(Self { setup: setup.clone(), pool, queue })
    }

    async fn install(&self) -> Result<()> {
        self.queue.install_sql_from_embedded().await?;
        // Without the index that is recommended for groups (`create_fifo_index`): reading their first
        // messages cannot use it, and writing costs more with it.
        for name in self.names() {
            self.queue.create(&name).await?;
            self.queue.bind_topic(TOPIC, &name).await?;
        }
        Ok(())
    }

    async fn fill(&self, orders: Range<u64>) -> Result<()> {
        let mut rest = orders;
        while !rest.is_empty() {
            let some: Vec<Order> = rest.by_ref().take(FILL).map(Order::of).collect();
            let mut tx = self.pool.begin().await?;
            self.send(&mut tx, &some).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    async fn emit(&self, orders: Range<u64>) -> Result<()> {
        let orders: Vec<Order> = orders.map(Order::of).collect();
        let mut tx = self.pool.begin().await?;
        if let Some(order) = orders.first() {
            sqlx::query("insert into business (n, body) values ($1, $2)")
                .bind(order.n.cast_signed())
                .bind(serde_json::to_string(order)?)
                .execute(&mut *tx)
                .await?;
        }
        self.send(&mut tx, &orders).await?;
        Ok(tx.commit().await?)
    }

    async fn work(&self, handler: Handler, stop: CancellationToken) -> Result<()> {
        let permits = self.setup.concurrency.map_or(Semaphore::MAX_PERMITS, |most| most as usize);
        let permits = Arc::new(Semaphore::new(permits));
        let mut readers = JoinSet::new();
        for name in self.names() {
            for _ in 0..Reader::count(self.setup.kind) {
                let reader = Reader {
                    queue: self.queue.clone(),
                    name: name.clone(),
                    kind: self.setup.kind,
                    handler: handler.clone(),
                    permits: Arc::clone(&permits),
                };
                let connection = PgConnection::connect(&self.setup.url).await?;
                readers.spawn(reader.run(connection, stop.clone()));
            }
        }
        while let Some(ended) = readers.join_next().await {
            ended??;
        }
        Ok(())
    }

    async fn unrecorded(&self) -> Result<u64> {
        // In `Kind::Ordered` the first message of one key fails, and the others of that key wait for
        // it.
        let stuck = if self.setup.kind == Kind::Ordered { Order::of(0).key } else { String::new() };
        let mut left = 0;
        for name in self.names() {
            let count = format!("select count(*) from pgmq.q_{name} where message ->> 'key' <> $1");
            let count = sqlx::query_scalar(AssertSqlSafe(count)).bind(&stuck);
            let count: i64 = count.fetch_one(&self.pool).await?;
            left += count.unsigned_abs();
        }
        Ok(left)
    }
}
