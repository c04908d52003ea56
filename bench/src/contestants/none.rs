//! No events: the application's own row alone. What emitting costs is the difference to this.

use std::ops::Range;

use anyhow::{Context, Result};
use outbox_contest::{Contestant, Handler, Order, Setup, unsupported};
use sqlx::Connection;
use tokio_util::sync::CancellationToken;

use super::database::Database;
use super::kept::Kept;

pub(super) struct None<DB: Database> {
    writers: Kept<DB>,
}

impl<DB: Database> Contestant for None<DB> {
    async fn open(setup: &Setup) -> Result<Self> {
        Ok(Self { writers: Kept::of(DB::open(setup).await?) })
    }

    async fn install(&self) -> Result<()> {
        Ok(())
    }

    async fn fill(&self, _orders: Range<u64>) -> Result<()> {
        Err(unsupported("there are no events"))
    }

    async fn emit(&self, orders: Range<u64>) -> Result<()> {
        let mut writer = self.writers.take().await?;
        let mut tx = writer.connection.begin().await.context("begin")?;
        DB::insert_business(&mut tx, &Order::of(orders.start)).await?;
        tx.commit().await?;
        self.writers.give_back(writer);
        Ok(())
    }

    async fn work(&self, _handler: Handler, _stop: CancellationToken) -> Result<()> {
        Err(unsupported("there are no events"))
    }

    async fn unrecorded(&self) -> Result<u64> {
        Ok(0)
    }
}
