//! Emits through registries of three crates, runs their consumers, and prints what they are. Billing
//! is included twice: by the application, and by the shop.

use anyhow::{Result, ensure};
use outbox_runtime::{
    Event, FromRef, Outbox, Registry, RegistryInfo, Sqlite, State, Worker, consumer, registry,
};
use outbox_tests_billing::{Billing, BillingState, InvoiceId, InvoicePaid, Ledger};
use outbox_tests_shop::{Counter, OrderPlaced, Shop, ShopState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqlitePool;

/// The application was started.
#[derive(Debug, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "app.started")]
struct Started {}

#[derive(Clone)]
struct AppState {
    shop: ShopState,
}

impl FromRef<AppState> for ShopState {
    fn from_ref(state: &AppState) -> Self {
        state.shop.clone()
    }
}

impl FromRef<AppState> for BillingState {
    fn from_ref(state: &AppState) -> Self {
        state.shop.billing
    }
}

/// Says hello.
#[consumer(name = "app.hello", start = beginning)]
async fn hello(_: Started, State(_): State<ShopState>) {
    println!("hello");
}

registry! {
    /// Everything.
    struct App;
    state: AppState,
    include: [Shop, Billing],
    events: [Started],
    consumers: [hello],
}

#[tokio::main]
async fn main() -> Result<()> {
    print(&App::registry());
    let file = std::env::args().nth(1).unwrap_or_else(|| "app.db".to_owned());
    let pool = SqlitePool::connect(&format!("sqlite://{file}?mode=rwc")).await?;
    let outbox = Outbox::<App, Sqlite>::new(pool.clone());
    outbox.migrate().await?;
    sqlx::raw_sql("create table payments (ledger text, cents integer)").execute(&pool).await?;

    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, Started {}).await?;
    outbox.emit(&mut tx, OrderPlaced { order_id: 7, currency: "CHF".to_owned() }).await?;
    // Comes through both includes, so one is named.
    let billing = outbox.of::<Billing>();
    billing.emit(&mut tx, InvoicePaid { invoice: InvoiceId(1), cents: 250 }).await?;
    tx.commit().await?;

    let counter = Counter::default();
    let billing = BillingState { ledger: Ledger("main") };
    let shop = ShopState { counter: counter.clone(), billing };
    let tally = Worker::new(outbox, AppState { shop }).drain().await?;
    println!("handled {}", tally.handled);
    ensure!(counter.count() == 2, "the shop's consumers share one counter");
    let booked: Vec<(String, i64)> =
        sqlx::query_as("select ledger, cents from payments").fetch_all(&pool).await?;
    println!("booked {booked:?}");
    Ok(())
}

fn print(registry: &RegistryInfo) {
    println!("registry {} includes {}", registry.name, registry.includes.join(", "));
    for event in &registry.events {
        println!(
            "event {} v{} of {}: {}",
            event.name, event.version, event.registry, event.declared.docs
        );
    }
    for consumer in &registry.consumers {
        println!(
            "consumer {} of {} takes {} v{}",
            consumer.options.name, consumer.registry, consumer.event_name, consumer.event_version
        );
    }
}
