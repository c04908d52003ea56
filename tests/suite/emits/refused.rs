//! What is refused before anything is written, and before the body runs.

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{Backend, Error, ErrorKind, EventFilter, OutboxTx, Tx, emits, registry};
use outbox_tests::{Db, Ping};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

crate::both! {
    a_handler_that_is_not_listed_is_refused,
    a_property_of_another_name_is_refused_rather_than_leaked,
    an_event_that_its_own_type_cannot_read_is_refused,
}

#[emits(name = "rpc.unlisted", infallible)]
async fn unlisted<DB: Backend>(_tx: OutboxTx<DB>) {
    unreachable!("it is refused before");
}

#[emits(name = "rpc.fallible")]
async fn fallible<DB: Backend>(tx: OutboxTx<DB>) -> Result<(), Error> {
    let _ = tx;
    unreachable!("it is refused before");
}

#[emits(Ping, with = || Ping::new(1))]
async fn own<DB: Backend>(tx: &mut Tx<'_, DB>) -> Result<(), Error> {
    let _ = tx;
    unreachable!("it is refused before");
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Renamed {
    #[serde(rename = "cardNumber")]
    card: String,
    sku: String,
}

/// Its schema says what serde does not do.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Lying {
    #[serde(rename = "cardNumber")]
    #[schemars(rename = "card")]
    card: String,
}

#[emits(name = "rpc.lying", input(lying), skip(input.card))]
async fn pay_lying<DB: Backend>(tx: OutboxTx<DB>, lying: Lying) -> Result<(), Error> {
    let _ = (tx, lying);
    unreachable!("it is refused before");
}

#[emits(name = "rpc.renamed", input(renamed), skip(input.card))]
async fn pay<DB: Backend>(tx: OutboxTx<DB>, renamed: Renamed) -> Result<(), Error> {
    let _ = (tx, renamed);
    unreachable!("it is refused before");
}

/// Writes a number and reads a text.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Odd {
    #[serde(serialize_with = "as_number")]
    text: String,
}

fn as_number<S: serde::Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(text.len() as u64)
}

#[emits(name = "rpc.odd", input(odd))]
async fn odd<DB: Backend>(tx: OutboxTx<DB>, odd: Odd) -> Result<(), Error> {
    let _ = (tx, odd);
    Ok(())
}

registry! {
    struct Small;
    events: [PayEvent, PayLyingEvent, OddEvent],
}

async fn nothing_was_emitted<DB: Db>(outbox: &TestOutbox<Small, DB>) -> Result<()> {
    assert!(outbox.events(&EventFilter::all()).await?.is_empty());
    Ok(())
}

async fn a_handler_that_is_not_listed_is_refused<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Small, DB>::new().await?;
    let error = fallible(OutboxTx::new(&outbox)).await.expect_err("not listed");
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(
        error.to_string().contains(
            "`rpc.fallible` is not in registry `Small`: list the handler `fallible` in its `handlers`"
        ),
        "{error}"
    );
    let mut tx = outbox.begin().await?;
    let error = own(&mut tx).await.expect_err("not listed");
    let message = error.to_string();
    assert!(message.contains("`test.ping` is not in registry `Small`: add `Ping` to"), "{message}");
    drop(tx);
    let panicked = tokio::spawn(unlisted(OutboxTx::new(&outbox))).await.expect_err("not listed");
    assert!(panicked.is_panic());
    nothing_was_emitted(&outbox).await
}

async fn a_property_of_another_name_is_refused_rather_than_leaked<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Small, DB>::new().await?;
    let renamed = || Renamed { card: "secret".to_owned(), sku: "tea".to_owned() };
    let error = pay(OutboxTx::new(&outbox), renamed()).await.expect_err("it would leak");
    assert_eq!(error.kind(), ErrorKind::Refused);
    let message = error.to_string();
    assert!(message.contains("`skip(input.card)`"), "{message}");
    assert!(message.contains("no property `card`, but `cardNumber`, `sku`"), "{message}");
    let lying = Lying { card: "secret".to_owned() };
    let error = pay_lying(OutboxTx::new(&outbox), lying).await.expect_err("it would leak");
    assert!(error.to_string().contains("its schema promises `card`"), "{error}");
    // The same by hand.
    let mut tx = outbox.begin().await?;
    let by_hand = outbox.emit(&mut tx, PayEvent { input: renamed() }).await;
    assert!(by_hand.expect_err("it would leak").to_string().contains("`skip(input.card)`"));
    tx.commit().await?;
    nothing_was_emitted(&outbox).await
}

async fn an_event_that_its_own_type_cannot_read_is_refused<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Small, DB>::new().await?;
    let text = "four".to_owned();
    let error = odd(OutboxTx::new(&outbox), Odd { text }).await.expect_err("unreadable");
    assert_eq!(error.kind(), ErrorKind::Refused);
    let message = error.to_string();
    assert!(message.contains("cannot be read back") && message.contains("`input`"), "{message}");
    nothing_was_emitted(&outbox).await
}
