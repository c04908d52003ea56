//! What is generated causes no warning, in public modules, in private ones, and in functions.

#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    single_use_lifetimes,
    future_incompatible,
    nonstandard_style,
    rust_2018_idioms,
    let_underscore_drop,
    trivial_casts,
    clippy::all,
    clippy::pedantic,
    clippy::nursery
)]
#![forbid(unsafe_code)]

/// Public things.
pub mod shop {
    use outbox_runtime::{Error, Event, OutboxTx, Postgres, Sqlite, Tx, emits, registry};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    /// An order.
    #[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
    pub struct Order {
        /// What is ordered.
        pub sku: String,
        /// What it is paid with.
        pub card: String,
    }

    /// Places an order.
    ///
    /// # Errors
    ///
    /// When the event cannot be written.
    #[emits(
        name = "a",
        version = 2,
        no_upcast,
        key = input.order.sku.len(),
        input(order, note),
        skip(input.order.card),
    )]
    pub async fn place(mut tx: OutboxTx<Postgres>, order: Order, note: &str) -> Result<(), Error> {
        sqlx::query("select 1").execute(&mut *tx).await.map(drop).unwrap_or_default();
        drop((order, note.len()));
        Ok(())
    }

    #[emits(name = "b")]
    pub(crate) async fn unused(_tx: OutboxTx<Sqlite>, _id: u64) -> Result<(), Error> {
        Ok(())
    }

    #[emits(name = "c", input(_id))]
    async fn used(_tx: &mut Tx<'_, Sqlite>, _id: u64) -> Result<u64, Error> {
        Ok(7)
    }

    #[emits(name = "d", infallible)]
    async fn never_fails(_tx: Tx<'_, Sqlite>) {}

    /// An event.
    #[derive(Debug, Event, Serialize, Deserialize, JsonSchema)]
    #[event(name = "e")]
    pub struct Own {}

    #[deprecated = "nobody calls it"]
    #[emits(Own, with = |_id| Own {})]
    async fn own(_tx: OutboxTx<Sqlite>, _id: u64) -> Result<(), Error> {
        Ok(())
    }

    /// Calls what nothing else does.
    pub const fn routes() {
        #[allow(deprecated)]
        let handlers = (unused, used, never_fails, own);
        let _ = handlers;
    }

    registry! {
        /// Everything the shop emits.
        pub struct Shop;
        events: [PlaceEvent, UnusedEvent, UsedEvent, NeverFailsEvent, Own],
    }
}

/// A handler may be local to a function, as in tests.
fn local() -> Option<String> {
    use outbox_runtime::{Error, Event, OutboxTx, Sqlite, emits};

    #[emits(name = "tick", key = input, input(id))]
    async fn tick(_tx: OutboxTx<Sqlite>, id: &str) -> Result<(), Error> {
        let _ = id;
        Ok(())
    }

    let _ = tick;
    TickEvent { input: "7".to_owned() }.key().map(std::borrow::Cow::into_owned)
}

fn main() {
    shop::routes();
    assert_eq!(local().as_deref(), Some("7"));
}
