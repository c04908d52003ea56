//! What is published, and who receives it.

use std::error::Error;

use es_entity::AtomicOperation;
use obix::out::InsertOrder;
use obix::{EventCtx, EventDelivery, FlushOp, Handled, SingletonSubscriber};
use outbox_contest::{Handler, Order};
use serde::{Deserialize, Serialize};

/// The application's events: an enum, as in all of obix's examples, but of no more bytes than its payload.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Event {
    OrderPlaced(Order),
}

impl Event {
    pub(crate) fn of(n: u64) -> Self {
        Self::OrderPlaced(Order::of(n))
    }
}

type Failed = Box<dyn Error + Send + Sync>;

/// Only calls the handler. An event is collected once it is handled, so that the cursor moves once for
/// a batch of them (`SingletonSubscriber`); skipped events would be recorded every 5 seconds, and are
/// meant to be those of others.
pub(crate) struct Plain(pub(crate) Handler);

impl SingletonSubscriber<Event> for Plain {
    type Batch = ();

    async fn handle_persistent<'inv>(
        &self,
        ctx: EventCtx<'inv, ()>,
        event: &EventDelivery<Event>,
    ) -> Result<Handled<'inv>, Failed> {
        // What was rolled back leaves a position without a payload.
        let Some(Event::OrderPlaced(order)) = &event.payload else { return Ok(ctx.skip()) };
        self.0.handle(order.n, order).await?;
        Ok(ctx.collect_with(|()| ()))
    }
}

/// Changes the rows of a batch in the transaction that moves the cursor.
pub(crate) struct Projection(pub(crate) Handler);

impl SingletonSubscriber<Event> for Projection {
    type Batch = Vec<String>;

    async fn handle_persistent<'inv>(
        &self,
        ctx: EventCtx<'inv, Vec<String>>,
        event: &EventDelivery<Event>,
    ) -> Result<Handled<'inv>, Failed> {
        let Some(Event::OrderPlaced(order)) = &event.payload else { return Ok(ctx.skip()) };
        self.0.handle(order.n, order).await?;
        Ok(ctx.collect(order.key.clone()))
    }

    async fn flush(
        &self,
        op: &mut FlushOp<'_, InsertOrder>,
        keys: Vec<String>,
    ) -> Result<(), Failed> {
        for key in keys {
            sqlx::query(
                "insert into total (key, events) values ($1, 1)
                 on conflict (key) do update set events = total.events + 1",
            )
            .bind(key)
            .execute(op.as_executor())
            .await?;
        }
        Ok(())
    }
}
