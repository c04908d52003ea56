//! The consumers, and a registry for each setup.

use outbox_contest::{Handler, Refused};
use outbox_runtime::{Delivery, State, consumer, registry};

use super::event::OrderPlaced;

/// A consumer that only calls the handler.
macro_rules! plain {
    ($($function:ident $name:literal),* $(,)?) => {
        $(
            #[consumer(name = $name, start = beginning)]
            async fn $function(
                order: Delivery<OrderPlaced>,
                State(handler): State<Handler>,
            ) -> Result<(), Refused> {
                handler.handle(order.n, &*order).await
            }
        )*
    };
}

plain! {
    one "one", two "two", three "three", four "four", five "five",
    six "six", seven "seven", eight "eight", nine "nine", ten "ten",
}

/// Shared by workers.
#[consumer(name = "shared", start = beginning, shards = 8)]
async fn shared(
    order: Delivery<OrderPlaced>,
    State(handler): State<Handler>,
) -> Result<(), Refused> {
    handler.handle(order.n, &*order).await
}

/// One after the other for each key.
#[consumer(name = "ordered", start = beginning, ordered)]
async fn ordered(
    order: Delivery<OrderPlaced>,
    State(handler): State<Handler>,
) -> Result<(), Refused> {
    handler.handle(order.n, &*order).await
}

registry! {
    /// One consumer.
    pub(super) struct Single;
    state: Handler,
    events: [OrderPlaced],
    consumers: [one],
}

registry! {
    /// Four consumers.
    pub(super) struct Four;
    state: Handler,
    events: [OrderPlaced],
    consumers: [one, two, three, four],
}

registry! {
    /// Ten consumers.
    pub(super) struct Ten;
    state: Handler,
    events: [OrderPlaced],
    consumers: [one, two, three, four, five, six, seven, eight, nine, ten],
}

registry! {
    /// One consumer of eight shards.
    pub(super) struct Shared;
    state: Handler,
    events: [OrderPlaced],
    consumers: [shared],
}

registry! {
    /// One consumer that keeps the order of each key.
    pub(super) struct Ordered;
    state: Handler,
    events: [OrderPlaced],
    consumers: [ordered],
}

/// A projection, which names the database that it writes to.
macro_rules! projection {
    ($module:ident, $database:ident) => {
        pub(super) mod $module {
            use outbox_contest::Handler;
            use outbox_runtime::{ConsumerError, Delivery, State, Tx, consumer, registry};

            use super::OrderPlaced;

            /// Adds one to the total of a key, in the transaction that records the progress.
            #[consumer(name = "projection", start = beginning, delivery = tx)]
            async fn projection(
                order: Delivery<OrderPlaced>,
                tx: &mut Tx<'_, outbox_runtime::$database>,
                State(handler): State<Handler>,
            ) -> Result<(), ConsumerError> {
                let upsert = sqlx::query(
                    "insert into total (key, events) values ($1, 1)
                     on conflict (key) do update set events = total.events + 1",
                );
                upsert.bind(&order.key).execute(&mut **tx).await?;
                Ok(handler.handle(order.n, &*order).await?)
            }

            registry! {
                /// One consumer with effects in the database.
                pub(in super::super) struct Projection;
                state: Handler,
                events: [OrderPlaced],
                consumers: [projection],
            }
        }
    };
}

projection!(on_postgres, Postgres);
projection!(on_sqlite, Sqlite);
