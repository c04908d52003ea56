//! Bad input gets a clear error where it enters, and nothing else suffers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::{TestDatabase, TestOutbox};
use outbox_runtime::{
    Backend, Bound, ConsumerDef, ConsumerError, ConsumerOptions, Consumers, Context, Delivery,
    Emit, Emittable, ErrorKind, Event, EventName, HandleEach, Limits, Outbox, Outcome, Own,
    Registered, Registry, RegistryInfo, Worker, registry,
};
use outbox_tests::{Db, Ping, Probe};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::consumers::{Plain, plain};

crate::both! {
    each_bad_event_is_refused_with_its_reason_and_the_transaction_goes_on,
    one_bad_event_of_a_list_refuses_the_list,
    limits_can_be_changed,
    what_cannot_be_serialised_is_refused,
    a_retired_version_cannot_be_emitted_but_still_be_read,
    a_malformed_event_name_is_refused_at_emit,
    a_malformed_namespace_is_refused,
    a_worker_refuses_malformed_consumers,
}

/// An event that can be bad in every way.
#[derive(Clone, Debug, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "test.loose", version = 3, no_upcast, key = key)]
struct Loose {
    key: Option<String>,
    value: Value,
}

fn loose(value: Value) -> Emit<Loose> {
    Emit::new(Loose { key: None, value })
}

fn keyed(key: String) -> Emit<Loose> {
    Emit::new(Loose { key: Some(key), value: Value::Null })
}

/// An object with this many levels of arrays in it: one deeper than `levels`.
fn nested(levels: usize) -> Value {
    (0..levels).fold(Value::Null, |inner, _| Value::Array(vec![inner]))
}

registry! {
    struct LooseToo;
    state: Probe,
    events: [Ping, Loose],
    consumers: [plain],
}

/// What is wrong, an event, and what the message says of it.
fn bad_events() -> Vec<(&'static str, Emit<Loose>, &'static [&'static str])> {
    let mib = 1024 * 1024;
    let long = || "k".repeat(1025);
    vec![
        ("a NUL in a string", loose(json!("a\0b")), &["NUL", "payload"]),
        ("a NUL in a property's name", loose(json!({ "a\0": 1 })), &["NUL", "payload"]),
        ("a NUL after a backslash", loose(json!("\\\0")), &["NUL", "payload"]),
        ("a NUL in the event's key", keyed("a\0".to_owned()), &["NUL"]),
        ("a NUL in a key given at emit", loose(Value::Null).key("\0"), &["its key", "NUL"]),
        ("a NUL in a dedup key", loose(Value::Null).dedup_key("\0"), &["dedup key", "NUL"]),
        ("a NUL in a header", loose(Value::Null).header("tenant", "\0"), &["\"tenant\"", "NUL"]),
        ("a NUL in a header's name", loose(Value::Null).header("te\0nant", ""), &["header", "NUL"]),
        ("129 levels", loose(nested(128)), &["129 deep", "128"]),
        ("1,000 levels", loose(nested(1000)), &["1001 deep", "128"]),
        ("1 MiB and a byte", loose(json!("x".repeat(mib - 22))), &["1048577 bytes", "1048576"]),
        ("a long key", keyed(long()), &["its key", "1025 bytes", "1024"]),
        ("a long key given at emit", loose(Value::Null).key(long()), &["its key", "1025", "1024"]),
        ("a long dedup key", loose(Value::Null).dedup_key(long()), &["dedup key", "1025", "1024"]),
    ]
}

async fn each_bad_event_is_refused_with_its_reason_and_the_transaction_goes_on<DB: Db>()
-> Result<()> {
    let outbox = TestOutbox::<LooseToo, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    let mut good = 0;
    for (what, event, fragments) in bad_events() {
        let error = outbox.emit(&mut tx, event).await.expect_err(what);
        let message = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Refused, "{what}: {message}");
        assert!(!error.is_temporary(), "{what}");
        for fragment in ["emit", "`test.loose` version 3"].iter().chain(fragments) {
            assert!(message.contains(fragment), "{what}: no {fragment:?} in {message:?}");
        }
        assert!(message.len() < 300, "{what}: {message}");
        outbox.emit(&mut tx, Ping::new(good)).await?;
        good += 1;
    }
    for just_within in [
        loose(nested(127)),
        loose(json!("x".repeat(1024 * 1024 - 23))),
        keyed("k".repeat(1024)),
        loose(Value::Null).dedup_key("k".repeat(1024)),
        loose(json!("\\u0000 as text")),
        keyed(String::new()),
    ] {
        outbox.emit(&mut tx, just_within).await?;
    }
    tx.commit().await?;

    assert_eq!(outbox.emitted::<Ping>().await?, (0..good).map(Ping::new).collect::<Vec<_>>());
    assert_eq!(outbox.emitted::<Loose>().await?.len(), 6);
    Ok(())
}

async fn one_bad_event_of_a_list_refuses_the_list<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<LooseToo, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    let list = [loose(json!(1)), loose(json!("\0")), loose(json!(2))];
    let error = outbox.emit_all(&mut tx, list).await.expect_err("a NUL");
    assert_eq!(error.kind(), ErrorKind::Refused);
    outbox.emit(&mut tx, loose(json!(3))).await?;
    tx.commit().await?;
    let values: Vec<Value> =
        outbox.emitted::<Loose>().await?.into_iter().map(|e| e.value).collect();
    assert_eq!(values, [json!(3)]);
    Ok(())
}

async fn limits_can_be_changed<DB: Db>() -> Result<()> {
    let mut limits = Limits::default();
    limits.max_payload_bytes = 100;
    limits.max_depth = 2;
    let outbox = TestOutbox::<LooseToo, DB>::with(|builder| Ok(builder.limits(limits))).await?;
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, loose(json!([1]))).await?;
    for (bad, fragment) in
        [(json!("x".repeat(100)), "the limit of 100"), (json!([[1]]), "limit of 2")]
    {
        let error = outbox.emit(&mut tx, loose(bad)).await.expect_err(fragment);
        assert!(error.to_string().contains(fragment), "{error}");
    }
    Ok(())
}

/// JSON has no keys like these.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "test.unwritable", version = 1)]
struct Unwritable {
    #[schemars(with = "Value")]
    map: BTreeMap<(u8, u8), u8>,
}

registry! {
    struct Unwritables;
    events: [Unwritable],
    consumers: [],
}

async fn what_cannot_be_serialised_is_refused<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Unwritables, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    let event = Unwritable { map: BTreeMap::from([((1, 2), 3)]) };
    let error = outbox.emit(&mut tx, event).await.expect_err("not JSON");
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("cannot be serialised"), "{error}");
    Ok(())
}

#[derive(Debug, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "test.aging", version = 1, retired)]
struct AgingV1 {
    n: u64,
}

#[derive(Debug, PartialEq, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "test.aging", version = 2, upcast(from = AgingV1))]
struct Aging {
    n: u64,
    unit: String,
}

impl From<AgingV1> for Aging {
    fn from(older: AgingV1) -> Self {
        Self { n: older.n, unit: "m".to_owned() }
    }
}

/// Retired as well, but emittable as far as the compiler knows.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Aged {
    n: u64,
}

impl Event for Aged {
    const NAME: &'static str = "test.aged";
    const VERSION: u32 = 1;
    const RETIRED: bool = true;
}

impl Emittable for Aged {}

registry! {
    struct Ages;
    events: [Aging, AgingV1, Aged],
    consumers: [],
}

async fn a_retired_version_cannot_be_emitted_but_still_be_read<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Ages, DB>::new().await?;
    DB::append(outbox.pool(), "test.aging", 1, None, r#"{"n": 1}"#).await?;
    let mut tx = outbox.begin().await?;
    let error = outbox.emit(&mut tx, Aged { n: 2 }).await.expect_err("retired");
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("version 1 is retired"), "{error}");
    outbox.emit(&mut tx, Aging { n: 3, unit: "km".to_owned() }).await?;
    tx.commit().await?;
    let aging = |n, unit: &str| Aging { n, unit: unit.to_owned() };
    assert_eq!(outbox.emitted::<Aging>().await?, [aging(1, "m"), aging(3, "km")]);
    Ok(())
}

/// Implemented by hand, past the checks of the macro.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Misnamed {}

impl Event for Misnamed {
    const NAME: &'static str = "Order Placed";
    const VERSION: u32 = 1;

    fn key(&self) -> Option<Cow<'_, str>> {
        None
    }
}

impl Emittable for Misnamed {}

struct ByHand;

impl Registry for ByHand {
    type State = Vec<ConsumerOptions>;

    fn registry() -> RegistryInfo {
        RegistryInfo::new("ByHand", Vec::new(), Vec::new())
    }
}

impl Registered<Misnamed, Own> for ByHand {}

async fn a_malformed_event_name_is_refused_at_emit<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<ByHand, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    let error = outbox.emit(&mut tx, Misnamed {}).await.expect_err("misnamed");
    assert_eq!(error.kind(), ErrorKind::InvalidName);
    assert!(error.to_string().contains("`Order Placed` is not a valid event name"), "{error}");
    tx.commit().await?;
    for name in ["", "Order", "a b", "a..b", ".a", "a.", "é", "a\0", &"a".repeat(129)] {
        let error = EventName::new(name).expect_err(name);
        assert_eq!(error.kind(), ErrorKind::InvalidName);
        assert!(error.to_string().contains("lowercase"), "{error}");
    }
    Ok(())
}

async fn a_malformed_namespace_is_refused<DB: Db>() -> Result<()> {
    let database = TestDatabase::<DB>::create().await?;
    let long = "a".repeat(49);
    for name in [
        "",
        "Outbox",
        "1a",
        "a-b",
        "a b",
        "a\"; drop table x; --",
        "a.b",
        "é",
        "a\0",
        "pg_x",
        &long,
    ] {
        let error =
            Outbox::<Plain, DB>::builder(database.pool().clone()).namespace(name).expect_err(name);
        assert_eq!(error.kind(), ErrorKind::InvalidName, "{name}");
        assert!(error.to_string().contains("at most 48 characters"), "{name}: {error}");
    }
    Ok(())
}

struct Misconfigured<const WHICH: usize>;

const MISCONFIGURED: [ConsumerOptions; 4] = [
    ConsumerOptions::new("Bad Name"),
    ConsumerOptions::new(""),
    ConsumerOptions::new("a").batch(5, Duration::ZERO).tx(),
    ConsumerOptions::new("b").batch(5, Duration::ZERO).ordered(),
];

impl<const WHICH: usize> ConsumerDef for Misconfigured<WHICH> {
    type Event = Ping;
    const OPTIONS: ConsumerOptions = MISCONFIGURED[WHICH];
}

impl<const WHICH: usize> HandleEach<()> for Misconfigured<WHICH> {
    async fn handle(_: Delivery<Ping>, (): &(), _: Context) -> Result<Outcome, ConsumerError> {
        Ok(Outcome::skip("never called"))
    }
}

struct OneOf<const WHICH: usize>;

impl<const WHICH: usize> Registry for OneOf<WHICH> {
    type State = ();

    fn registry() -> RegistryInfo {
        RegistryInfo::new("OneOf", Vec::new(), Vec::new())
    }
}

impl<const WHICH: usize, DB: Backend> Consumers<DB> for OneOf<WHICH> {
    fn consumers(state: &Arc<()>) -> Vec<Bound<DB>> {
        vec![Bound::each::<Misconfigured<WHICH>, ()>(state)]
    }
}

async fn refused_worker<const WHICH: usize, DB: Db>(kind: ErrorKind, says: &str) -> Result<()> {
    let outbox = TestOutbox::<OneOf<WHICH>, DB>::new().await?;
    let worker = || Worker::new(outbox.outbox().clone(), ());
    for error in [
        worker().drain().await.expect_err(says),
        worker().run_until(std::future::pending()).await.expect_err(says),
    ] {
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    Ok(())
}

async fn a_worker_refuses_malformed_consumers<DB: Db>() -> Result<()> {
    refused_worker::<0, DB>(ErrorKind::InvalidName, "`Bad Name` is not a valid consumer").await?;
    refused_worker::<1, DB>(ErrorKind::InvalidName, "`` is not a valid consumer name").await?;
    refused_worker::<2, DB>(ErrorKind::InvalidOptions, "`a` has `batch` and `delivery = tx`")
        .await?;
    refused_worker::<3, DB>(ErrorKind::InvalidOptions, "`b` has `batch` and `ordered`").await
}
