//! This project, as a user would set it up: every option of events, consumers and workers is left as
//! it is, except what the setup asks for.

mod consumers;
mod event;

use std::ops::Range;

use anyhow::Result;
use outbox_contest::{Contestant, Handler, Kind, Order, Setup, Task, play};
use outbox_runtime::{Consumers, ListedIn, Outbox, Own, Postgres, Sqlite, Worker};
use tokio_util::sync::CancellationToken;

use super::database::{Database, fill};
use consumers::{Four, Ordered, Shared, Single, Ten};
use event::OrderPlaced;

pub(super) async fn on_postgres(task: Task) -> Result<()> {
    match task.setup.kind {
        Kind::Projection => play::<Ours<consumers::on_postgres::Projection, Postgres>>(task).await,
        Kind::Plain | Kind::Ordered => on::<Postgres>(task).await,
    }
}

pub(super) async fn on_sqlite(task: Task) -> Result<()> {
    match task.setup.kind {
        Kind::Projection => play::<Ours<consumers::on_sqlite::Projection, Sqlite>>(task).await,
        Kind::Plain | Kind::Ordered => on::<Sqlite>(task).await,
    }
}

/// With consumers that do not touch the database.
async fn on<DB: Database>(task: Task) -> Result<()> {
    let Setup { kind, consumers, shards, .. } = task.setup;
    match (kind, consumers, shards) {
        (Kind::Ordered, 1, 1) => play::<Ours<Ordered, DB>>(task).await,
        (Kind::Plain, 1, 1) => play::<Ours<Single, DB>>(task).await,
        (Kind::Plain, 1, 8) => play::<Ours<Shared, DB>>(task).await,
        (Kind::Plain, 4, 1) => play::<Ours<Four, DB>>(task).await,
        (Kind::Plain, 10, 1) => play::<Ours<Ten, DB>>(task).await,
        _ => Err(anyhow::anyhow!("no registry was written for this setup")),
    }
}

struct Ours<R: Consumers<DB, State = Handler>, DB: Database> {
    outbox: Outbox<R, DB>,
    concurrency: Option<u32>,
}

impl<R, DB> Contestant for Ours<R, DB>
where
    R: Consumers<DB, State = Handler>,
    DB: Database,
    OrderPlaced: ListedIn<R, Own>,
{
    async fn open(setup: &Setup) -> Result<Self> {
        let builder = Outbox::builder(DB::open(setup).await?);
        let builder = if setup.poll_only { builder.poll_only() } else { builder };
        Ok(Self { outbox: builder.build(), concurrency: setup.concurrency })
    }

    async fn install(&self) -> Result<()> {
        Ok(self.outbox.migrate().await?)
    }

    async fn fill(&self, orders: Range<u64>) -> Result<()> {
        let write = |orders: Range<u64>| async move {
            let mut tx = self.outbox.begin().await?;
            self.outbox.emit_all(&mut tx, orders.map(OrderPlaced::of)).await?;
            Ok(tx.commit().await?)
        };
        fill::<DB, _>(orders, write).await
    }

    async fn emit(&self, orders: Range<u64>) -> Result<()> {
        let mut tx = self.outbox.begin().await?;
        DB::insert_business(&mut tx, &Order::of(orders.start)).await?;
        if orders.end == orders.start + 1 {
            self.outbox.emit(&mut tx, OrderPlaced::of(orders.start)).await?;
        } else {
            self.outbox.emit_all(&mut tx, orders.map(OrderPlaced::of)).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn work(&self, handler: Handler, stop: CancellationToken) -> Result<()> {
        let mut worker = Worker::new(self.outbox.clone(), handler);
        if let Some(concurrency) = self.concurrency {
            worker = worker.concurrency(concurrency);
        }
        worker.run_until(stop.cancelled_owned()).await?;
        Ok(())
    }

    async fn unrecorded(&self) -> Result<u64> {
        let stats = self.outbox.stats().await?;
        Ok(stats.iter().map(|consumer| consumer.lag_events).sum())
    }
}
