//! Consumers, with a clock that is moved by hand.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use orders::database::{Db, migrate, stock_up};
use orders::events::{OrderCancelled, OrderPaid, StockShort};
use orders::orders::{Order, PlaceOrder, PlaceOrderEvent, place_order};
use orders::sandbox;
use orders::shop::{AppState, Mailer, Payments, Pending, Shop};
use outbox_runtime::testing::{TestDatabase, TestOutbox};
use outbox_runtime::{DeliveryFilter, DeliveryState, EventFilter, OutboxTx, headers};
use uuid::Uuid;

/// Remembers what it is told, and fails as long as it is told to.
#[derive(Default)]
struct Recorder {
    said: Mutex<Vec<String>>,
    fails: Mutex<bool>,
}

impl Recorder {
    fn say(&self, what: String) -> anyhow::Result<()> {
        if *self.fails.lock().unwrap_or_else(PoisonError::into_inner) {
            anyhow::bail!("the provider is away");
        }
        self.said.lock().unwrap_or_else(PoisonError::into_inner).push(what);
        Ok(())
    }

    fn said(&self) -> Vec<String> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_failing(&self, fails: bool) {
        *self.fails.lock().unwrap_or_else(PoisonError::into_inner) = fails;
    }
}

impl Payments for Recorder {
    fn charge<'a>(
        &'a self,
        reference: &'a str,
        card: &'a str,
        cents: i64,
    ) -> Pending<'a, anyhow::Result<()>> {
        assert!(reference.starts_with("payments.charge/"));
        Box::pin(async move { self.say(format!("charge {card} {cents}")) })
    }

    fn refund<'a>(&'a self, _reference: &'a str, cents: i64) -> Pending<'a, anyhow::Result<()>> {
        Box::pin(async move { self.say(format!("refund {cents}")) })
    }
}

impl Mailer for Recorder {
    fn receipt<'a>(&'a self, _order: Uuid, cents: i64) -> Pending<'a, anyhow::Result<()>> {
        Box::pin(async move { self.say(format!("mail {cents}")) })
    }
}

struct Test {
    outbox: TestOutbox<Shop, Db>,
    state: AppState,
    outside: Arc<Recorder>,
}

impl Test {
    async fn new() -> Result<Self> {
        let database = TestDatabase::<Db>::create().await?;
        migrate(database.pool()).await?;
        let outbox = TestOutbox::<Shop, Db>::on(database);
        stock_up(outbox.pool()).await?;
        let outside = Arc::new(Recorder::default());
        let state = AppState {
            payments: outside.clone(),
            mailer: outside.clone(),
            ..sandbox::state(outbox.outbox().clone())
        };
        Ok(Self { outbox, state, outside })
    }

    /// The handler is a function like any other.
    async fn place(&self, sku: &str, quantity: u32) -> Result<Order> {
        let order = PlaceOrder {
            customer: "ada".to_owned(),
            sku: sku.to_owned(),
            quantity,
            card: "4242".to_owned(),
        };
        let state = axum::extract::State(self.state.clone());
        let tx = OutboxTx::new(self.outbox.outbox());
        let placed = place_order(state, tx, axum::Json(order)).await;
        let (_status, axum::Json(order)) = placed.map_err(|error| anyhow::anyhow!("{error:?}"))?;
        Ok(order)
    }

    async fn drain(&self) -> Result<()> {
        self.outbox.drain(self.state.clone()).await?;
        Ok(())
    }

    async fn number(&self, sql: &'static str) -> Result<i64> {
        Ok(sqlx::query_scalar(sql).fetch_one(self.outbox.pool()).await?)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_charged_reserved_and_confirmed() -> Result<()> {
    let test = Test::new().await?;
    let order = test.place("tea", 2).await?;
    test.drain().await?;
    assert_eq!(test.outside.said(), ["charge 4242 900"]);
    let paid = OrderPaid { order_id: order.id, total: 900 };
    assert_eq!(test.outbox.emitted::<OrderPaid>().await?, [paid]);
    assert_eq!(test.number("select in_stock from product where sku = 'tea'").await?, 8);

    test.outbox.advance(Duration::from_secs(61));
    test.drain().await?;
    assert_eq!(test.outside.said(), ["charge 4242 900", "mail 900"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_away_is_asked_again_and_stock_is_reserved_once() -> Result<()> {
    let test = Test::new().await?;
    test.place("tea", 1).await?;
    test.outside.set_failing(true);
    test.drain().await?;
    let rows = test.outbox.deliveries(&DeliveryFilter::all()).await?;
    let retrying: Vec<_> = rows.iter().filter(|row| row.state == DeliveryState::Retrying).collect();
    assert_eq!(retrying.len(), 1);
    assert!(retrying[0].errors[0].message.contains("the provider is away"), "{:?}", retrying[0]);

    test.outside.set_failing(false);
    test.outbox.advance(Duration::from_secs(600));
    test.drain().await?;
    assert_eq!(test.outside.said()[0], "charge 4242 450");
    assert_eq!(test.number("select in_stock from product where sku = 'tea'").await?, 9);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_consumer_emits_tells_what_caused_it() -> Result<()> {
    let test = Test::new().await?;
    test.place("cup", 3).await?;
    test.drain().await?;
    let short = StockShort { sku: "cup".to_owned(), missing: 1 };
    assert_eq!(test.outbox.emitted::<StockShort>().await?, [short]);
    let events = test.outbox.events(&EventFilter::all()).await?;
    let (placed, short) = (&events[0], events.iter().find(|event| event.name == "stock.short"));
    let short = short.expect("the event");
    assert_eq!(short.headers.get(headers::CAUSED_BY), Some("stock.reserve"));
    assert_eq!(short.headers.get(headers::CAUSATION_ID), Some(&*placed.id.to_string()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_nobody_paid_is_cancelled_after_an_hour() -> Result<()> {
    let test = Test::new().await?;
    test.outside.set_failing(true);
    let order = test.place("tea", 1).await?;
    test.drain().await?;
    test.outbox.advance(Duration::from_secs(3_601));
    test.drain().await?;
    let cancelled = OrderCancelled { order_id: order.id, paid: 0 };
    assert_eq!(test.outbox.emitted::<OrderCancelled>().await?, [cancelled]);
    assert_eq!(test.number("select count(*) from orders where state = 'cancelled'").await?, 1);
    // Nothing to pay back, so nobody was asked to.
    test.outside.set_failing(false);
    test.drain().await?;
    assert!(test.outside.said().iter().all(|said| !said.starts_with("refund")));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_consumer_can_be_called_without_a_database() -> Result<()> {
    use outbox_runtime::testing::deliver;
    let outside = Arc::new(Recorder::default());
    let mailer: Arc<dyn Mailer> = outside.clone();
    let event = OrderPaid { order_id: Uuid::nil(), total: 5 };
    let outcome = deliver::<orders::consumers::receipt, _>(&mailer, &event).await?;
    assert!(outcome.is_some_and(|outcome| outcome.is_ok()));
    assert_eq!(outside.said(), ["mail 5"]);
    Ok(())
}

#[test]
fn the_registry_lists_what_the_handlers_emit() {
    use outbox_runtime::{Event, Registry};
    let info = Shop::registry();
    let event = info.events.iter().find(|event| event.name == PlaceOrderEvent::NAME);
    let schema = (event.expect("listed").write_schema)();
    let text = serde_json::to_string(&schema).expect("JSON");
    assert!(text.contains("quantity") && !text.contains("card"), "{text}");
}
