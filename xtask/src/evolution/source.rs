//! The source of the crate, and of its events at three times.

use std::path::Path;

pub(super) fn manifest(root: &Path) -> String {
    let (runtime, codegen) = (root.join("outbox-runtime"), root.join("outbox-codegen"));
    format!(
        r#"[package]
name = "shop"
version = "0.0.0"
edition = "2024"
default-run = "shop"

[workspace]

[dependencies]
outbox-codegen = {{ path = {codegen:?}, features = ["sqlite"] }}
outbox-runtime = {{ path = {runtime:?}, default-features = false, features = ["sqlite"] }}
schemars = "1"
serde = {{ version = "1", features = ["derive"] }}
sqlx = {{ version = "0.9", default-features = false, features = ["runtime-tokio", "sqlite-bundled"] }}
tokio = {{ version = "1", features = ["macros", "rt-multi-thread"] }}
"#
    )
}

pub(super) const COMMAND: &str = "\
fn main() -> std::process::ExitCode {
    outbox_codegen::main::<shop::Shop>()
}
";

pub(super) const MAIN: &str = r#"use outbox_runtime::{Outbox, Sqlite, Worker};
use shop::Shop;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = sqlx::SqlitePool::connect("sqlite://shop.db?mode=rwc").await?;
    let outbox = Outbox::<Shop, Sqlite>::new(pool);
    outbox.migrate().await?;
    if std::env::args().nth(1).as_deref() == Some("work") {
        Worker::new(outbox, ()).drain().await?;
        return Ok(());
    }
    let mut tx = outbox.begin().await?;
    for order in 1..=3 {
        outbox.emit(&mut tx, shop::placed(order)).await?;
    }
    tx.commit().await?;
    println!("3 orders emitted");
    Ok(())
}
"#;

pub(super) const RELEASED: &str = r#"use outbox_runtime::{Delivery, Event, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An order was placed.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 1, key = order)]
pub struct OrderPlaced {
    pub order: u64,
    pub total: u64,
}

pub fn placed(order: u64) -> OrderPlaced {
    OrderPlaced { order, total: 100 * order }
}

#[consumer(name = "orders.print", start = beginning)]
async fn print(placed: Delivery<OrderPlaced>) {
    println!("order {}: {}", placed.order, placed.total);
}

registry! {
    pub struct Shop;
    events: [OrderPlaced],
    consumers: [print],
}
"#;

/// Events now have a currency, and the log has events without one.
pub(super) const BROKEN: &str = r#"use outbox_runtime::{Delivery, Event, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An order was placed.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 1, key = order)]
pub struct OrderPlaced {
    pub order: u64,
    pub total: u64,
    pub currency: String,
}

pub fn placed(order: u64) -> OrderPlaced {
    OrderPlaced { order, total: 100 * order, currency: "SEK".to_owned() }
}

#[consumer(name = "orders.print", start = beginning)]
async fn print(placed: Delivery<OrderPlaced>) {
    println!("order {}: {} {}", placed.order, placed.total, placed.currency);
}

registry! {
    pub struct Shop;
    events: [OrderPlaced],
    consumers: [print],
}
"#;

/// The same, as the report advised.
pub(super) const MENDED: &str = r#"use outbox_runtime::{Delivery, Event, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An order was placed.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 2, key = order, upcast(from = OrderPlacedV1))]
pub struct OrderPlaced {
    pub order: u64,
    pub total: u64,
    pub currency: String,
}

/// An order was placed, in euros.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 1, key = order, retired)]
pub struct OrderPlacedV1 {
    pub order: u64,
    pub total: u64,
}

impl From<OrderPlacedV1> for OrderPlaced {
    fn from(old: OrderPlacedV1) -> Self {
        Self { order: old.order, total: old.total, currency: "EUR".to_owned() }
    }
}

pub fn placed(order: u64) -> OrderPlaced {
    OrderPlaced { order, total: 100 * order, currency: "SEK".to_owned() }
}

#[consumer(name = "orders.print", start = beginning)]
async fn print(placed: Delivery<OrderPlaced>) {
    println!("order {}: {} {}", placed.order, placed.total, placed.currency);
}

registry! {
    pub struct Shop;
    events: [OrderPlaced, OrderPlacedV1],
    consumers: [print],
}
"#;
