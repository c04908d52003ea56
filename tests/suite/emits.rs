//! Handlers that emit: an event if and only if the handler succeeded and its transaction committed.

mod axum;
mod causes;
mod refused;

use std::panic::AssertUnwindSafe;

use anyhow::Result;
use futures_util::FutureExt;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{
    Backend, ConsumerError, Delivery, Error, ErrorKind, Event, EventFilter, HandlerInfo, OutboxTx,
    State, Tx, consumer, emits, registry,
};
use outbox_tests::{Db, Ping, Probe};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

crate::both! {
    an_event_is_emitted_after_ok,
    nothing_is_emitted_after_an_error,
    nothing_is_emitted_after_a_panic,
    nothing_is_emitted_when_the_future_is_dropped,
    a_commit_that_fails_is_told_and_emits_nothing,
    the_body_cannot_end_the_transaction,
    a_savepoint_of_the_body_can_be_rolled_back,
    a_transaction_that_is_begun_is_committed,
    a_borrowed_transaction_is_committed_by_the_caller,
    what_is_emitted_in_the_body_commits_with_it,
    an_event_of_the_users_own_is_made_of_both,
    an_infallible_handler_panics_if_its_event_cannot_be_written,
    a_consumer_takes_the_event_of_a_handler,
    a_skipped_field_never_reaches_the_log,
}

/// What came in. Not `Clone`, so that nothing can depend on that.
#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Place {
    sku: String,
    card: String,
    payment: Payment,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Payment {
    iban: Option<String>,
    amount: u64,
}

impl Place {
    fn of(sku: &str) -> Self {
        let payment = Payment { iban: Some("secret-iban".to_owned()), amount: 3 };
        Self { sku: sku.to_owned(), card: "secret-card".to_owned(), payment }
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Placed {
    id: u64,
}

/// A handler's own error.
#[derive(Debug)]
enum Failed {
    Outbox(Error),
    Other(String),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Outbox(error)
    }
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Other(error.to_string())
    }
}

/// Places an order; what is ordered says how it goes.
#[emits(
    name = "rpc.orders.place",
    key = output.id,
    input(order),
    skip(input.card, input.payment.iban),
    derive(Debug, PartialEq)
)]
async fn place<DB: Db>(mut tx: OutboxTx<DB>, order: Place) -> Result<Placed, Failed> {
    DB::run(&mut tx, "insert into placed values (1)").await?;
    match order.sku.as_str() {
        "error" => return Err(Failed::Other("out of stock".to_owned())),
        "panic" => panic!("while it was placed"),
        "hang" => std::future::pending().await,
        "commit" => tx.commit().await?,
        "roll back" => tx.rollback().await?,
        "savepoint" => {
            let mut savepoint = tx.savepoint().await?;
            DB::run(savepoint.tx(), "insert into placed values (2)").await?;
            savepoint.rollback().await?;
            let mut savepoint = tx.savepoint().await?;
            DB::run(savepoint.tx(), "insert into placed values (3)").await?;
            savepoint.release().await?;
        }
        _ => {}
    }
    // It may consume what came in, since that was serialised before.
    drop(order);
    Ok(Placed { id: 7 })
}

#[emits(name = "rpc.orders.take", input(order))]
async fn take<DB: Db>(mut tx: Tx<'_, DB>, order: &Place) -> Result<(), Failed> {
    DB::run(&mut tx, "insert into placed values (1)").await?;
    match order.sku.as_str() {
        "error" => Err(Failed::Other("out of stock".to_owned())),
        _ => Ok(()),
    }
}

#[emits(name = "rpc.orders.rename", input(sku, to))]
async fn rename<DB: Db>(
    tx: &mut Tx<'_, DB>,
    sku: &str,
    to: Option<String>,
) -> Result<(u16, Placed), Failed> {
    DB::run(tx, "insert into placed values (1)").await?;
    Ok((if to.is_some() { 200 } else { 204 }, Placed { id: sku.len() as u64 }))
}

#[emits(Ping, with = |order: &Place, placed: &Placed| Ping::keyed(&order.sku, placed.id))]
async fn ping<DB: Backend>(tx: &mut Tx<'_, DB>, order: Place) -> Result<Placed, Failed> {
    let _ = tx;
    Ok(Placed { id: order.payment.amount })
}

#[emits(name = "rpc.orders.ring", infallible, input(text))]
async fn ring<DB: Backend>(tx: OutboxTx<DB>, text: String) -> usize {
    let _ = tx;
    text.len()
}

#[consumer(name = "placed", start = beginning)]
async fn placed(
    order: Delivery<PlaceEvent>,
    State(probe): State<Probe>,
) -> Result<(), ConsumerError> {
    probe.note_event("placed", &order, &Ping::keyed(&order.input.sku, order.output.id));
    Ok(())
}

registry! {
    pub(crate) struct Shop;
    state: Probe,
    events: [PlaceEvent, TakeEvent, RenameEvent, RingEvent, Ping],
    consumers: [placed],
}

async fn shop<DB: Db>() -> Result<TestOutbox<Shop, DB>> {
    let outbox = TestOutbox::<Shop, DB>::new().await?;
    DB::execute(outbox.pool(), "create table placed (n bigint not null)").await?;
    Ok(outbox)
}

async fn rows<DB: Db>(outbox: &TestOutbox<Shop, DB>) -> Result<i64> {
    Ok(DB::number(outbox.pool(), "select count(*) from placed").await?)
}

/// Neither an event nor a row.
async fn nothing_happened<DB: Db>(outbox: &TestOutbox<Shop, DB>) -> Result<()> {
    assert_eq!(rows(outbox).await?, 0);
    assert!(outbox.events(&EventFilter::all()).await?.is_empty());
    Ok(())
}

async fn an_event_is_emitted_after_ok<DB: Db>() -> Result<()> {
    let outbox = shop::<DB>().await?;
    let returned = place(OutboxTx::new(&outbox), Place::of("tea")).await.expect("it is placed");
    assert_eq!(returned, Placed { id: 7 });
    assert_eq!(rows(&outbox).await?, 1);
    let events = outbox.events(&EventFilter::all()).await?;
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].name.as_str(), events[0].version), ("rpc.orders.place", 1));
    assert_eq!(events[0].key.as_deref(), Some("7"));
    let info = HandlerInfo::of::<place>();
    assert_eq!((info.name, info.event_name, info.commits), ("place", "rpc.orders.place", true));
    assert_eq!(info.declared.docs, "Places an order; what is ordered says how it goes.");
    assert!(info.declared.file.ends_with("emits.rs") && info.declared.line > 0);
    Ok(())
}

async fn nothing_is_emitted_after_an_error<DB: Db>() -> Result<()> {
    let outbox = shop::<DB>().await?;
    let error = place(OutboxTx::new(&outbox), Place::of("error")).await.expect_err("it failed");
    assert!(matches!(error, Failed::Other(message) if message == "out of stock"));
    nothing_happened(&outbox).await
}

async fn nothing_is_emitted_after_a_panic<DB: Db>() -> Result<()> {
    let outbox = shop::<DB>().await?;
    let placing = AssertUnwindSafe(place(OutboxTx::new(&outbox), Place::of("panic")));
    placing.catch_unwind().await.expect_err("it panicked");
    nothing_happened(&outbox).await
}

async fn nothing_is_emitted_when_the_future_is_dropped<DB: Db>() -> Result<()> {
    let outbox = shop::<DB>().await?;
    let tx = || OutboxTx::new(&outbox);
    // Before it began, and where it hangs, which is after its first statement.
    drop(place(tx(), Place::of("tea")));
    let mut hanging = Box::pin(place(tx(), Place::of("hang")));
    let waited = std::time::Duration::from_millis(300);
    tokio::time::timeout(waited, &mut hanging).await.expect_err("it hangs");
    drop(hanging);
    nothing_happened(&outbox).await?;
    place(tx(), Place::of("tea")).await.expect("nobody holds a lock any more");
    assert_eq!(rows(&outbox).await?, 1);
    Ok(())
}

async fn a_commit_that_fails_is_told_and_emits_nothing<DB: Db>() -> Result<()> {
    let outbox = shop::<DB>().await?;
    let pool = outbox.pool();
    DB::execute(pool, "drop table placed").await?;
    DB::execute(pool, "create table parent (n bigint primary key)").await?;
    let deferred = "create table placed \
                    (n bigint not null references parent (n) deferrable initially deferred)";
    DB::execute(pool, deferred).await?;
    let error = place(OutboxTx::new(&outbox), Place::of("tea")).await.expect_err("no parent");
    let Failed::Outbox(error) = error else { panic!("another error: {error:?}") };
    assert_eq!(error.operation(), "commit");
    nothing_happened(&outbox).await
}

async fn the_body_cannot_end_the_transaction<DB: Db>() -> Result<()> {
    let outbox = shop::<DB>().await?;
    for sku in ["commit", "roll back"] {
        let error = place(OutboxTx::new(&outbox), Place::of(sku)).await.expect_err("not its own");
        let Failed::Outbox(error) = error else { panic!("another error: {error:?}") };
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Refused, sku));
        assert!(error.to_string().contains("`#[emits]` commits"), "{error}");
    }
    nothing_happened(&outbox).await
}

async fn a_savepoint_of_the_body_can_be_rolled_back<DB: Db>() -> Result<()> {
    let outbox = shop::<DB>().await?;
    place(OutboxTx::new(&outbox), Place::of("savepoint")).await.expect("it is placed");
    assert_eq!(DB::number(outbox.pool(), "select max(n) * count(*) from placed").await?, 6);
    assert_eq!(outbox.emitted::<PlaceEvent>().await?.len(), 1);
    Ok(())
}

async fn a_transaction_that_is_begun_is_committed<DB: Db>() -> Result<()> {
    let outbox = shop::<DB>().await?;
    take(outbox.begin().await?, &Place::of("error")).await.expect_err("it failed");
    nothing_happened(&outbox).await?;
    let tx = OutboxTx::new(&outbox).begin().await?;
    take(tx, &Place::of("tea")).await.expect("it is taken");
    assert_eq!(rows(&outbox).await?, 1);
    assert_eq!(outbox.emitted::<TakeEvent>().await?[0].input, Place::of("tea"));
    Ok(())
}

async fn a_borrowed_transaction_is_committed_by_the_caller<DB: Db>() -> Result<()> {
    let outbox = shop::<DB>().await?;
    for commits in [false, true] {
        let mut tx = outbox.begin().await?;
        let (status, _) = rename(&mut tx, "tea", None).await.expect("it is renamed");
        assert_eq!(status, 204);
        rename(&mut tx, "coffee", Some("cocoa".to_owned())).await.expect("it is renamed");
        if commits {
            tx.commit().await?
        } else {
            tx.rollback().await?
        }
        assert_eq!(rows(&outbox).await?, if commits { 2 } else { 0 });
    }
    let emitted = outbox.emitted::<RenameEvent>().await?;
    assert_eq!(emitted.len(), 2);
    assert_eq!((emitted[0].input.sku.as_str(), &emitted[0].input.to), ("tea", &None));
    assert_eq!(emitted[1].output, Placed { id: 6 });
    assert!(!HandlerInfo::of::<rename>().commits);
    Ok(())
}

async fn what_is_emitted_in_the_body_commits_with_it<DB: Db>() -> Result<()> {
    let outbox = shop::<DB>().await?;
    let mut tx = outbox.begin().await?;
    ping(&mut tx, Place::of("a")).await.expect("it is emitted");
    outbox.emit(&mut tx, Ping::new(2)).await?;
    take(tx, &Place::of("tea")).await.expect("it commits all three");
    let events = outbox.events(&EventFilter::all()).await?;
    let names: Vec<_> = events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["test.ping", "test.ping", "rpc.orders.take"]);
    Ok(())
}

async fn an_event_of_the_users_own_is_made_of_both<DB: Db>() -> Result<()> {
    let outbox = shop::<DB>().await?;
    let mut tx = outbox.begin().await?;
    ping(&mut tx, Place::of("tea")).await.expect("it is emitted");
    tx.commit().await?;
    assert_eq!(outbox.emitted::<Ping>().await?, [Ping::keyed("tea", 3)]);
    Ok(())
}

async fn an_infallible_handler_panics_if_its_event_cannot_be_written<DB: Db>() -> Result<()> {
    let outbox = shop::<DB>().await?;
    assert_eq!(ring(OutboxTx::new(&outbox), "four".to_owned()).await, 4);
    assert_eq!(outbox.emitted::<RingEvent>().await?[0].output, 4);
    let ringing = AssertUnwindSafe(ring(OutboxTx::new(&outbox), "\0".to_owned()));
    let panic = ringing.catch_unwind().await.expect_err("a NUL is refused");
    let message = panic.downcast_ref::<String>().expect("a text");
    assert!(message.contains("NUL"), "{message}");
    assert_eq!(outbox.emitted::<RingEvent>().await?.len(), 1);
    Ok(())
}

async fn a_consumer_takes_the_event_of_a_handler<DB: Db>() -> Result<()> {
    let outbox = shop::<DB>().await?;
    place(OutboxTx::new(&outbox), Place::of("tea")).await.expect("it is placed");
    let probe = Probe::default();
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("placed"), [7]);
    Ok(())
}

async fn a_skipped_field_never_reaches_the_log<DB: Db>() -> Result<()> {
    let outbox = shop::<DB>().await?;
    place(OutboxTx::new(&outbox), Place::of("tea")).await.expect("it is placed");
    // Nor does one that is emitted by hand.
    let payment = Payment { iban: Some("secret-iban".to_owned()), amount: 4 };
    let input = Place { payment, ..Place::of("coffee") };
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, PlaceEvent { input, output: Placed { id: 8 } }).await?;
    tx.commit().await?;
    let events = outbox.events(&EventFilter::all()).await?;
    let payload = r#"{"input":{"sku":"tea","payment":{"amount":3}},"output":{"id":7}}"#;
    assert_eq!(events[0].payload.get().replace([' ', '\n'], ""), payload);
    assert!(events.iter().all(|event| !event.payload.get().contains("secret")));
    let emitted = outbox.emitted::<PlaceEvent>().await?;
    assert_eq!(emitted[0].input.card, "");
    assert_eq!(emitted[0].input.payment, Payment { iban: None, amount: 3 });
    assert_eq!(emitted[1].key().as_deref(), Some("8"));
    Ok(())
}

#[test]
fn the_schemas_have_no_property_that_is_skipped() {
    let info = outbox_runtime::EventInfo::of::<PlaceEvent>();
    for schema in [(info.write_schema)(), (info.read_schema)()] {
        let schema = schema.to_value();
        assert_eq!(schema["title"], "PlaceEvent");
        assert_eq!(schema["required"], serde_json::json!(["input", "output"]));
        let input = &schema["properties"]["input"];
        let names = |object: &serde_json::Value| -> Vec<String> {
            object["properties"].as_object().expect("an object").keys().cloned().collect()
        };
        assert_eq!(names(input), ["payment", "sku"]);
        assert_eq!(input["required"], serde_json::json!(["sku", "payment"]));
        assert_eq!(names(&input["properties"]["payment"]), ["amount"]);
        assert_eq!(schema["properties"]["output"]["$ref"], "#/$defs/Placed");
    }
    let read = (outbox_runtime::EventInfo::of::<RenameEvent>().read_schema)().to_value();
    let input = &read["$defs"]["RenameInput"];
    assert_eq!(input["required"], serde_json::json!(["sku"]), "an option need not be there");
}
