//! Events of every shape that serde and schemars know, and a registry with them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use outbox_runtime::{
    Delivery, Event, Registry, RegistryInfo, Sqlite, Tx, consumer, emits, registry,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// An order was placed, the old way.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 1, key = order_id, retired)]
pub(crate) struct OrderPlacedV1 {
    pub(crate) order_id: u64,
    /// An address of one line.
    pub(crate) address: Address,
}

/// An address. (There is another type of this name.)
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Address {
    pub(crate) line: String,
}

/// An order was placed.
///
/// It says `*/` and `/*`, "quotes", `\`, <b>tags</b>, @at, ${dollar} and ünïcödé 🦀.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 2, key = order_id, upcast(from = OrderPlacedV1))]
#[schemars(example = example())]
pub(crate) struct OrderPlaced {
    /// The order.
    pub(crate) order_id: u64,
    pub(crate) at: DateTime<Utc>,
    pub(crate) customer: Uuid,
    /// A note, or none. */ Not the end of a comment.
    pub(crate) note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) coupon: Option<String>,
    pub(crate) address: new::Address,
    pub(crate) lines: Vec<Line>,
    pub(crate) tags: BTreeSet<String>,
    pub(crate) counts: BTreeMap<String, i64>,
    pub(crate) by_number: BTreeMap<u32, String>,
    pub(crate) r#type: Channel,
    #[serde(rename = "content-type")]
    pub(crate) content_type: String,
    #[serde(rename = "a \"quoted\" näme")]
    pub(crate) quoted: bool,
    /// Anything.
    pub(crate) extra: Value,
    pub(crate) place: (f64, f64),
    pub(crate) color: [u8; 3],
}

mod new {
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    /// An address. */
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(crate) struct Address {
        pub(crate) street: String,
        pub(crate) zip: Option<u32>,
    }
}

/// One line.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Line {
    pub(crate) sku: String,
    pub(crate) quantity: u16,
}

/// Where it came from.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Channel {
    /// The web.
    Web,
    Phone,
}

impl From<OrderPlacedV1> for OrderPlaced {
    fn from(old: OrderPlacedV1) -> Self {
        Self { order_id: old.order_id, note: Some(old.address.line), ..placed() }
    }
}

fn example() -> Value {
    json!(placed())
}

pub(crate) fn placed() -> OrderPlaced {
    OrderPlaced {
        order_id: 9_007_199_254_740_993,
        at: DateTime::from_timestamp(1_700_000_000, 0).expect("a time"),
        customer: Uuid::from_u128(7),
        note: None,
        coupon: None,
        address: new::Address { street: "Main \"St\"".to_owned(), zip: Some(1) },
        lines: vec![Line { sku: "tea".to_owned(), quantity: 2 }],
        tags: BTreeSet::from(["new".to_owned()]),
        counts: BTreeMap::from([("a".to_owned(), -1)]),
        by_number: BTreeMap::from([(7, "seven".to_owned())]),
        r#type: Channel::Web,
        content_type: "text/plain".to_owned(),
        quoted: true,
        extra: json!({ "any": [1, null] }),
        place: (1.5, -2.0),
        color: [255, 0, 7],
    }
}

/// A thread, which contains itself.
#[derive(Clone, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "forum/thread:posted", version = 1)]
pub(crate) struct Posted {
    pub(crate) text: String,
    pub(crate) first: Option<Box<Posted>>,
    pub(crate) answers: Vec<Answer>,
    pub(crate) tree: Tree,
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) answers: Vec<Answer>,
}

/// A map of maps.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Tree(pub(crate) BTreeMap<String, Tree>);

/// Every way to tag.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "stripe:payment.settled", version = 3, no_upcast)]
pub(crate) struct Settled {
    pub(crate) external: Vec<External>,
    pub(crate) internal: Vec<Internal>,
    pub(crate) adjacent: Vec<Adjacent>,
    pub(crate) untagged: Vec<Untagged>,
    #[serde(flatten)]
    pub(crate) method: Method,
    #[serde(flatten)]
    pub(crate) rest: BTreeMap<String, Vec<u8>>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) enum External {
    Unit,
    New(i32),
    Tuple(i32, String),
    Fields { id: i32 },
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Internal {
    Unit,
    New(Line),
    /// With fields.
    WithFields {
        id: i32,
    },
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "t", content = "c")]
pub(crate) enum Adjacent {
    Unit,
    New(i32),
    Tuple(i32, String),
    Fields { id: i32 },
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Untagged {
    Number(f64),
    Text(String),
    Fields { id: i32, more: Option<String> },
}

/// How it was paid.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "method")]
pub(crate) enum Method {
    Card { last4: String },
    Cash,
}

/// Nothing but a fact.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "2fa.enabled", version = 1)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enabled {}

/// Whose name in TypeScript is taken by `order.placed`.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order_placed", version = 2, no_upcast)]
pub(crate) struct OtherPlaced {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) old: Option<bool>,
    #[serde(flatten)]
    pub(crate) rest: Map<String, Value>,
}

/// Places an order.
#[allow(dead_code)]
#[emits(OtherPlaced, with = |output: &bool| OtherPlaced { old: Some(*output), rest: Map::new() })]
async fn place(tx: &mut Tx<'_, Sqlite>) -> Result<bool, outbox_runtime::Error> {
    let _ = tx;
    Ok(true)
}

/// Adds a line.
#[allow(dead_code)]
#[emits(name = "rpc.lines.add", key = output.sku, input(line))]
pub(crate) async fn add_line(
    tx: &mut Tx<'_, Sqlite>,
    line: Line,
) -> Result<Line, outbox_runtime::Error> {
    let _ = tx;
    Ok(line)
}

/// Sends a receipt.
///
/// By mail.
#[consumer(
    name = "mail:receipt",
    start = beginning,
    ordered,
    timeout = "20s",
    delay = "1m",
    retry(max = 5, backoff = "1s..1m")
)]
async fn receipt(placed: Delivery<OrderPlaced>) -> Result<(), std::io::Error> {
    let _ = placed;
    Ok(())
}

/// Has not been told of version 2 yet.
#[consumer(name = "archive")]
async fn archive(placed: Delivery<OrderPlacedV1>) -> Result<(), std::io::Error> {
    let _ = placed;
    Ok(())
}

#[consumer(name = "ledger/settled", delivery = tx)]
async fn settled(
    settled: Delivery<Settled>,
    tx: &mut Tx<'_, Sqlite>,
) -> Result<(), std::io::Error> {
    let _ = (settled, tx);
    Ok(())
}

registry! {
    /// Sells things.
    pub(crate) struct Shop;
    events: [OrderPlacedV1, OrderPlaced, Posted, Settled, Enabled, OtherPlaced],
    handlers: [place, add_line],
    consumers: [receipt, archive, settled],
}

pub(crate) fn shop() -> RegistryInfo {
    Shop::registry()
}

/// A payload as its type writes it.
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) version: u32,
    pub(crate) payload: Value,
}

/// Payloads of every event.
pub(crate) fn samples() -> Vec<Sample> {
    fn sample<E: Event>(event: &E) -> Sample {
        let payload = serde_json::to_value(event).expect("an event is JSON");
        Sample { name: E::NAME, version: E::VERSION, payload }
    }
    let address = Address { line: "Main St 1".to_owned() };
    let line = || Line { sku: "tea".to_owned(), quantity: 1 };
    let with_everything = OrderPlaced {
        note: Some("*/".to_owned()),
        coupon: Some("TEA".to_owned()),
        r#type: Channel::Phone,
        extra: Value::Null,
        ..placed()
    };
    let cash = Settled { method: Method::Cash, rest: BTreeMap::new(), ..settled_by_card() };
    vec![
        sample(&OrderPlacedV1 { order_id: 1, address }),
        sample(&placed()),
        sample(&with_everything),
        sample(&posted()),
        sample(&settled_by_card()),
        sample(&cash),
        sample(&AddLineEvent { input: line(), output: line() }),
        sample(&Enabled {}),
        sample(&OtherPlaced { old: None, rest: Map::from_iter([("any".to_owned(), json!(1))]) }),
        sample(&OtherPlaced { old: Some(true), rest: Map::new() }),
    ]
}

pub(crate) fn posted() -> Posted {
    let leaf = Answer { text: "no".to_owned(), answers: Vec::new() };
    let tree = Tree(BTreeMap::from([("a".to_owned(), Tree(BTreeMap::new()))]));
    let first =
        Posted { text: "1".to_owned(), first: None, answers: Vec::new(), tree: tree.clone() };
    let answers = vec![Answer { text: "yes".to_owned(), answers: vec![leaf] }];
    Posted { text: "2".to_owned(), first: Some(Box::new(first)), answers, tree }
}

pub(crate) fn settled_by_card() -> Settled {
    let text = || "x".to_owned();
    let line = Line { sku: text(), quantity: 1 };
    Settled {
        external: vec![
            External::Unit,
            External::New(1),
            External::Tuple(1, text()),
            External::Fields { id: 1 },
        ],
        internal: vec![Internal::Unit, Internal::New(line), Internal::WithFields { id: 1 }],
        adjacent: vec![
            Adjacent::Unit,
            Adjacent::New(1),
            Adjacent::Tuple(1, text()),
            Adjacent::Fields { id: 1 },
        ],
        untagged: vec![
            Untagged::Number(1.5),
            Untagged::Text(text()),
            Untagged::Fields { id: 1, more: None },
        ],
        method: Method::Card { last4: "4242".to_owned() },
        rest: BTreeMap::from([("anything".to_owned(), vec![1])]),
    }
}
