//! The limit: a loop that reads a page of a table in the order of its numbers, decodes it, calls the
//! handler and writes how far it has come.
//!
//! It has no retries, no leases and no order of keys, and it loses events whose transactions commit
//! in another order than they drew their numbers in. Each consumer is a task with a connection of its
//! own. What is new is found by a signal within the process, by a `NOTIFY` where that is asked for,
//! and every 10 ms.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use outbox_contest::{Contestant, Handler, Kind, Order, Setup, unsupported};
use sqlx::postgres::PgListener;
use sqlx::{Connection, Pool};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::database::{Database, RawEvent, fill};
use super::kept::Kept;

const POLL: Duration = Duration::from_millis(10);

/// A raw loop that reads `PAGE` rows at a time.
pub(super) struct Raw<DB: Database, const PAGE: i64, const NOTIFY: bool = false> {
    pool: Pool<DB>,
    writers: Kept<DB>,
    setup: Setup,
    bell: Arc<Notify>,
}

impl<DB: Database, const PAGE: i64, const NOTIFY: bool> Contestant for Raw<DB, PAGE, NOTIFY> {
    async fn open(setup: &Setup) -> Result<Self> {
        if setup.shards > 1 {
            return Err(unsupported("a second process would read the same rows again"));
        }
        if setup.kind == Kind::Ordered {
            return Err(unsupported("it has no retries, so nothing may fail"));
        }
        let pool = DB::open(setup).await?;
        let writers = Kept::of(pool.clone());
        Ok(Self { pool, writers, setup: setup.clone(), bell: Arc::default() })
    }

    async fn install(&self) -> Result<()> {
        DB::make_raw(&self.pool, self.setup.consumers).await
    }

    async fn fill(&self, orders: Range<u64>) -> Result<()> {
        let write = |orders: Range<u64>| async move {
            let mut connection = self.pool.acquire().await?;
            DB::insert_many_raw(&mut connection, orders.map(Order::of).collect()).await
        };
        fill::<DB, _>(orders, write).await
    }

    async fn emit(&self, orders: Range<u64>) -> Result<()> {
        let mut writer = self.writers.take().await?;
        let mut tx = writer.connection.begin().await?;
        DB::insert_business(&mut tx, &Order::of(orders.start)).await?;
        if orders.end == orders.start + 1 {
            DB::insert_raw(&mut tx, Order::of(orders.start)).await?;
        } else {
            DB::insert_many_raw(&mut tx, orders.map(Order::of).collect()).await?;
        }
        if NOTIFY {
            DB::notify_raw(&mut tx).await?;
        }
        tx.commit().await?;
        self.bell.notify_waiters();
        self.writers.give_back(writer);
        Ok(())
    }

    async fn work(&self, handler: Handler, stop: CancellationToken) -> Result<()> {
        let mut tasks = JoinSet::new();
        if NOTIFY {
            tasks.spawn(listen(self.setup.url.clone(), Arc::clone(&self.bell), stop.clone()));
        }
        for consumer in 0..self.setup.consumers {
            let consumer = Loop::<DB> {
                connection: self.pool.acquire().await?.detach(),
                consumer: consumer.cast_signed(),
                page: PAGE,
                kind: self.setup.kind,
                bell: Arc::clone(&self.bell),
                handler: handler.clone(),
                stop: stop.clone(),
            };
            tasks.spawn(consumer.run());
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok(())
    }

    async fn unrecorded(&self) -> Result<u64> {
        Ok(DB::raw_left(&self.pool).await?.unsigned_abs())
    }
}

/// One consumer.
struct Loop<DB: Database> {
    connection: DB::Connection,
    consumer: i32,
    page: i64,
    kind: Kind,
    bell: Arc<Notify>,
    handler: Handler,
    stop: CancellationToken,
}

impl<DB: Database> Loop<DB> {
    async fn run(mut self) -> Result<()> {
        let bell = Arc::clone(&self.bell);
        let mut position = DB::raw_cursor(&mut self.connection, self.consumer).await?;
        while !self.stop.is_cancelled() {
            // Before it looks, or what comes in between would not wake it.
            let rung = bell.notified();
            let last = match self.kind {
                Kind::Projection => self.project(position).await?,
                Kind::Plain | Kind::Ordered => self.page(position).await?,
            };
            match last {
                Some(last) => position = last,
                // Whichever comes first.
                None => drop(tokio::time::timeout(POLL, rung).await),
            }
        }
        Ok(())
    }

    /// Handles a page and records it; the last position, if there was anything.
    async fn page(&mut self, after: i64) -> Result<Option<i64>> {
        let page = DB::read_raw(&mut self.connection, after, self.page).await?;
        let Some(last) = page.last().map(|event| event.position) else { return Ok(None) };
        for RawEvent { payload: order, .. } in &page {
            self.handler.handle(order.n, order).await?;
        }
        DB::set_raw_cursor(&mut self.connection, self.consumer, last).await?;
        Ok(Some(last))
    }

    /// The same in one transaction with the rows that it changes.
    async fn project(&mut self, after: i64) -> Result<Option<i64>> {
        let mut tx = self.connection.begin().await?;
        let page = DB::read_raw(&mut tx, after, self.page).await?;
        let Some(last) = page.last().map(|event| event.position) else { return Ok(None) };
        for RawEvent { payload: order, .. } in &page {
            DB::add_to_total(&mut tx, &order.key).await?;
            self.handler.handle(order.n, order).await?;
        }
        DB::set_raw_cursor(&mut tx, self.consumer, last).await?;
        tx.commit().await?;
        Ok(Some(last))
    }
}

/// Rings for what other processes commit.
async fn listen(url: String, bell: Arc<Notify>, stop: CancellationToken) -> Result<()> {
    let mut listener = PgListener::connect(&url).await?;
    listener.listen("raw_event").await?;
    while let Some(heard) = stop.run_until_cancelled(listener.recv()).await {
        heard?;
        bell.notify_waiters();
    }
    Ok(())
}
