//! The macros of Outbox.
//!
//! Use them through `outbox-runtime`, which re-exports them: what they generate names its items.
//!
//! A wrong use is one error, at what is wrong, in words that say what to write instead. After an
//! error, each macro still generates enough for the rest of the file to compile.

mod consumer;
mod declaration;
mod diagnostics;
mod emits;
mod event;
mod event_key;
mod function;
#[cfg(test)]
mod goldens;
#[cfg(test)]
mod half_typed;
mod literal;
mod name;
mod options;
mod paths;
mod registry;
mod types;
mod version;

/// Makes a struct or an enum an event: a fact with a permanent name and a version.
///
/// The type also needs serde's `Serialize` and `Deserialize` and schemars's `JsonSchema`.
///
/// ```
/// use outbox_runtime::Event;
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Event, Serialize, Deserialize, JsonSchema)]
/// #[event(name = "order.placed", version = 2, key = order_id, upcast(from = OrderPlacedV1))]
/// struct OrderPlaced {
///     order_id: u64,
///     total: i64,
///     currency: String,
/// }
///
/// #[derive(Event, Serialize, Deserialize, JsonSchema)]
/// #[event(name = "order.placed", version = 1, key = order_id, retired)]
/// struct OrderPlacedV1 {
///     order_id: u64,
///     total: i64,
/// }
///
/// impl From<OrderPlacedV1> for OrderPlaced {
///     fn from(older: OrderPlacedV1) -> Self {
///         Self { order_id: older.order_id, total: older.total, currency: "EUR".to_owned() }
///     }
/// }
///
/// let order = OrderPlaced { order_id: 7, total: 100, currency: "EUR".to_owned() };
/// assert_eq!(order.key().as_deref(), Some("7"));
/// assert_eq!(OrderPlaced::KEY_PROPERTY, Some("order_id"));
/// ```
///
/// # Options
///
/// | option | meaning |
/// | --- | --- |
/// | `name = "order.placed"` | required and permanent: lowercase segments of a-z, 0-9, `_` and `-` joined by `.`, `:` or `/` |
/// | `version = 2` | of the payload's shape, from 1, which is the default |
/// | `key = order_id` | what events are ordered and sharded by: a field (in an enum, of every variant), or an expression on `self`; anything that implements `EventKey` |
/// | `upcast(from = OrderPlacedV1)` | older payloads are read as that type, the version before, and converted with `From` |
/// | `no_upcast` | older payloads cannot be read as this version |
/// | `retired` | can be read and upcast; emitting it does not compile |
/// | `reserved("coupon")` | properties that older payloads had, and that must not come back |
/// | `index(customer, status)` | fields that people look events up by: `outbox migrations generate` writes an index on each |
/// | `crate = path` | where `outbox_runtime` is, if it is re-exported under another name |
///
/// Names and renames of serde are honoured: `reserved` speaks of properties in the payload. A
/// key may be an expression where a field is not enough:
///
/// ```
/// # use outbox_runtime::Event;
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// #[derive(Event, Serialize, Deserialize, JsonSchema)]
/// #[event(name = "invoice.closed", key = format!("{}/{}", self.tenant, self.number))]
/// struct InvoiceClosed {
///     tenant: String,
///     number: u32,
/// }
/// ```
#[proc_macro_derive(Event, attributes(event))]
pub fn event(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    event::derive(input.into()).into()
}

/// Makes a struct around one value usable as the key of events, as that value is.
///
/// The value is a string, an integer, a `Uuid`, or anything else that implements `EventKey`; a
/// `PhantomData` beside it does not count.
///
/// ```
/// use outbox_runtime::{Event, EventKey};
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(EventKey, Serialize, Deserialize, JsonSchema)]
/// struct OrderId(u64);
///
/// #[derive(Event, Serialize, Deserialize, JsonSchema)]
/// #[event(name = "order.placed", key = order_id)]
/// struct OrderPlaced { order_id: OrderId }
///
/// assert_eq!(OrderPlaced { order_id: OrderId(7) }.key().as_deref(), Some("7"));
/// ```
///
/// `#[event_key(crate = path)]` says where `outbox_runtime` is, if it is re-exported under another
/// name.
#[proc_macro_derive(EventKey, attributes(event_key))]
pub fn event_key(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    event_key::derive(input.into()).into()
}

/// Makes an async function a consumer of events.
///
/// The function stays as it is, and can be called and tested as before. Beside it appears a
/// struct of the same name, for [`registry!`].
///
/// ```
/// use outbox_runtime::{Batch, Delivery, Event, FromRef, State, Tx, consumer};
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// # use std::io::Error;
/// # #[derive(Event, Serialize, Deserialize, JsonSchema)]
/// # #[event(name = "order.placed", key = order_id)]
/// # struct OrderPlaced { order_id: u64, total: i64 }
/// # #[derive(Clone)]
/// # struct Mailer;
///
/// /// Works outside: at least once, retried with backoff.
/// #[consumer(
///     name = "email.receipt",
///     retry(max = 10, backoff = "1s..15m"),
///     timeout = "20s",
///     when = |order| order.total > 0,
/// )]
/// async fn receipt(order: Delivery<OrderPlaced>, State(mail): State<Mailer>) -> Result<(), Error> {
///     # let _ = (order, mail);
///     Ok(())
/// }
///
/// /// Works in the database: exactly once, in the transaction that records its progress.
/// #[consumer(name = "stock.reserve", delivery = tx, ordered)]
/// async fn reserve(
///     order: Delivery<OrderPlaced>,
///     tx: &mut Tx<'_, sqlx::Postgres>,
/// ) -> Result<(), Error> {
///     # let _ = (order, tx);
///     Ok(())
/// }
///
/// /// Many at a time.
/// #[consumer(name = "analytics", batch(max = 500, wait = "1s"))]
/// async fn track(orders: Batch<OrderPlaced>) {
///     # let _ = orders;
/// }
/// ```
///
/// # Arguments
///
/// In any order: exactly one of `E`, `Delivery<E>` and `Batch<E>`, where `E` is the event; any
/// number of `State<T>`, where `T` is the application's state or a part of it (`FromRef`);
/// `Context`; and for `delivery = tx` the transaction, `&mut Tx<'_, DB>` with the database's name
/// for `DB`. Types are told by the last segment of their paths.
///
/// # Options
///
/// Durations are text: `"500ms"`, `"20s"`, `"10m"`, `"4h"`, `"7d"`.
///
/// | option | meaning | default |
/// | --- | --- | --- |
/// | `name = "email.receipt"` | required and permanent: it owns the consumer's progress and deliveries | |
/// | `retry(max = 10, backoff = "1s..15m")` | attempts, and the least and the greatest wait between them | as written here |
/// | `retry = none` | one attempt | |
/// | `retry = path::of_fn` | a `fn(&Attempt, &ConsumerError) -> Retry` decides; `retry(max = 20, with = path::of_fn)` with another number of attempts than 10 | |
/// | `timeout = "20s"` | for one attempt | 60 s |
/// | `delay = "30s"` | after the event was appended; or a function of the event that returns a `Duration` | none |
/// | `when = \|event\| event.total > 0` | which events the consumer takes: a closure or the path of a function | all |
/// | `ordered` | events of one key one after another | |
/// | `concurrency = 64` | handlers of one shard at once | 16 |
/// | `shards = 4` | slices of keys, which different workers can run | 1 |
/// | `batch(max = 500, wait = "1s")` | up to so many events at a time, gathered for so long | `wait` 1 s |
/// | `delivery = tx` | in the database, exactly once | outside, at least once |
/// | `start = now` | where a new consumer begins: `now`, `beginning`, or a time such as `"2026-01-31T09:00:00Z"` | `now` |
/// | `on_dead = hold` | what a dead letter of an `ordered` consumer does to its key: `hold` or `continue` | `hold` |
/// | `audit` | keep every delivery's outcome and note | |
/// | `crate = path` | where `outbox_runtime` is, if it is re-exported under another name | |
#[proc_macro_attribute]
pub fn consumer(
    options: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    consumer::attribute(options.into(), item.into()).into()
}

/// Makes the success of an async function an event: what came in and what went out, emitted in the
/// function's own transaction.
///
/// The signature stays as it is; around the body goes what emits. Beside the function appear its
/// event, `PlaceOrderEvent` for `place_order`, and a struct of the function's name, for
/// [`registry!`].
///
/// ```
/// use outbox_runtime::{Error, Event, OutboxTx, Postgres, Tx, emits};
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize, JsonSchema)]
/// # struct PlaceOrder { sku: String, card: String }
/// # #[derive(Serialize, Deserialize, JsonSchema)]
/// # struct Order { id: i64 }
/// # #[derive(Event, Serialize, Deserialize, JsonSchema)]
/// # #[event(name = "order.cancelled", key = id)]
/// # struct OrderCancelled { id: i64, by: String }
/// # struct Cancel { id: i64 }
/// # struct Cancelled { by: String }
///
/// /// Owns its transaction, which is committed with the event.
/// #[emits(name = "rpc.orders.place", key = output.id, input(order), skip(input.card))]
/// async fn place_order(mut tx: OutboxTx<Postgres>, order: PlaceOrder) -> Result<Order, Error> {
///     # let charge = |_: String| {};
///     let _inserted = sqlx::query("insert into orders ...").execute(&mut *tx).await;
///     charge(order.card);
///     Ok(Order { id: 7 })
/// }
///
/// /// Borrows a transaction, which the caller commits, and emits an event of the user's own.
/// #[emits(OrderCancelled, with = |cancel: &Cancel, output: &Cancelled| OrderCancelled {
///     id: cancel.id,
///     by: output.by.clone(),
/// })]
/// async fn cancel(tx: &mut Tx<'_, Postgres>, cancel: Cancel) -> Result<Cancelled, Error> {
///     # let _ = (tx, cancel.id);
///     Ok(Cancelled { by: "the customer".to_owned() })
/// }
///
/// let event = PlaceOrderEvent {
///     input: PlaceOrder { sku: "tea".to_owned(), card: "4000".to_owned() },
///     output: Order { id: 7 },
/// };
/// assert_eq!(event.key().as_deref(), Some("7"));
/// ```
///
/// When the function returns an `Err`, panics, or is dropped before its end, nothing is emitted, and
/// its own transaction is rolled back. What fails after its `Ok` (the event, the commit) becomes
/// its `Err`, through `From<outbox_runtime::Error>`.
///
/// # Arguments
///
/// One argument is the transaction, told by the last segment of its type, and bound to a name:
///
/// | type | begins | commits |
/// | --- | --- | --- |
/// | `OutboxTx<DB>` | the attribute, when the body runs, in which it is a `Tx<'_, DB>` | the attribute |
/// | `Tx<'_, DB>` | the caller | the attribute |
/// | `&mut Tx<'_, DB>` | the caller | the caller |
///
/// The others are whatever the function needs. Only those that `input(...)` names are captured:
/// nothing gets into the log by accident. They are serialised by reference before the body runs,
/// so that it may consume them. `Json<T>`, `Form<T>`, `Path<T>`, `Query<T>`, `Extension<T>`,
/// `State<T>` and `&T` are captured as `T`, `&str` as `String`, `&[T]` as `Vec<T>`.
///
/// # The event
///
/// `PlaceOrderEvent` has a field `input` (the argument; of several, a struct `PlaceOrderInput` with
/// a field for each) and a field `output` (the `T` of `Result<T, E>`; of a tuple, its last element;
/// of `Json<T>`, the `T`). A consumer takes `Delivery<PlaceOrderEvent>`.
///
/// # Options
///
/// | option | meaning |
/// | --- | --- |
/// | `name = "rpc.orders.place"` | required and permanent, as of every event |
/// | `version = 2` | of the payload's shape, from 1, which is the default |
/// | `key = output.id` | what events are ordered and sharded by: an expression on `input` and `output` |
/// | `input(order, customer)` | the arguments that are captured |
/// | `skip(input.card, output.token)` | fields that are left out of the event, and of its schema; they are read back as the `Default` of their type |
/// | `output = Order` | the output's type, where the signature hides it, as `impl IntoResponse` does; what is returned must hold it (`AsOutput`) |
/// | `infallible` | the function returns no `Result`: every return is an event, and if that cannot be written, the function panics, since there is nobody to tell |
/// | `upcast(from = PlaceOrderEventV1)`, `no_upcast` | how older payloads are read, as of every event |
/// | `derive(Debug, Clone)` | what else the generated structs derive |
/// | `OrderCancelled` | first: an event of your own in the place of a generated one |
/// | `with = \|cancel, output\| ...` | how it is made: a closure or the path of a function. It is given a reference to each argument that `input(...)` names, or else to each that is not the transaction, and to the output, unless that is `()` |
/// | `crate = path` | where `outbox_runtime` is, if it is re-exported under another name |
///
/// # With other attributes
///
/// It goes above others. Below them it goes as well, with two exceptions, since these expand first:
/// `#[axum::debug_handler]` copies the body, in which an `OutboxTx` is not begun then; and
/// `#[tracing::instrument]` moves all arguments into the body, so that the `with` of an event of
/// your own does not find them any more, unless they are references.
#[proc_macro_attribute]
pub fn emits(
    options: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    emits::attribute(options.into(), item.into()).into()
}

/// Declares what an application emits and consumes.
///
/// Only events listed here can be emitted through the application's outbox, and only consumers
/// listed here are run by its workers.
///
/// ```
/// use outbox_runtime::{Event, Registry, State, consumer, registry};
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Event, Serialize, Deserialize, JsonSchema)]
/// # #[event(name = "order.placed")]
/// # struct OrderPlaced {}
/// # #[derive(Clone)]
/// # struct AppState;
/// # #[consumer(name = "email.receipt")]
/// # async fn receipt(order: OrderPlaced, state: State<AppState>) { let _ = (order, state); }
///
/// registry! {
///     /// Everything this service emits and consumes.
///     struct Shop;
///     state: AppState,
///     events: [OrderPlaced],
///     consumers: [receipt],
/// }
///
/// assert_eq!(Shop::registry().events[0].name, "order.placed");
/// ```
///
/// # Fields
///
/// In any order; the entries of lists are paths.
///
/// | field | meaning | if absent |
/// | --- | --- | --- |
/// | `state: AppState` | what consumers take their `State<T>` from | `()` |
/// | `include: [billing::Billing]` | registries of other modules and crates: what they list is listed, and their consumers run too | none |
/// | `events: [OrderPlaced]` | types with `#[derive(Event)]`: every version that can be emitted or read | none |
/// | `handlers: [place_order]` | functions with `#[emits]`; the event that the attribute made is listed with the function | none |
/// | `consumers: [receipt]` | functions with `#[consumer]` | none |
/// | `crate: path` | where `outbox_runtime` is, if it is re-exported under another name | |
///
/// # What the compiler checks
///
/// * No two events have the same name and version, and no two consumers the same name.
/// * The event of every consumer is listed, in the version that it takes.
/// * The event of every handler is listed, if it is a type of your own.
/// * What an include lists is not listed again.
///
/// An include counts as what it lists, also across crates, and so do the includes that it has. What
/// a registry contains, its includes among it, is a value without state or database:
/// `Shop::registry()`.
///
/// # Includes
///
/// An included registry has a state of its own, which is a part of the state of the one that
/// includes it. One without a state can be included everywhere.
///
/// ```
/// use outbox_runtime::{Event, FromRef, Outbox, Registry, Result, Sqlite, registry};
///
/// mod billing {
///     # use outbox_runtime::{Event, State, consumer, registry};
///     # use schemars::JsonSchema;
///     # use serde::{Deserialize, Serialize};
///     # #[derive(Event, Serialize, Deserialize, JsonSchema)]
///     # #[event(name = "invoice.paid")]
///     # pub struct InvoicePaid {}
///     # #[consumer(name = "billing.book")]
///     # async fn book(_: InvoicePaid, _: State<BillingState>) {}
///     #[derive(Clone)]
///     pub struct BillingState;
///
///     registry! {
///         pub struct Billing;
///         state: BillingState,
///         events: [InvoicePaid],
///         consumers: [book],
///     }
/// }
///
/// # #[derive(Event, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
/// # #[event(name = "order.placed")]
/// # struct OrderPlaced {}
/// struct AppState { billing: billing::BillingState }
///
/// impl FromRef<AppState> for billing::BillingState {
///     fn from_ref(state: &AppState) -> Self {
///         state.billing.clone()
///     }
/// }
///
/// registry! {
///     struct Shop;
///     state: AppState,
///     include: [billing::Billing],
///     events: [OrderPlaced],
/// }
///
/// async fn place(outbox: &Outbox<Shop, Sqlite>) -> Result<()> {
///     let mut tx = outbox.begin().await?;
///     outbox.emit(&mut tx, OrderPlaced {}).await?;
///     outbox.emit(&mut tx, billing::InvoicePaid {}).await?;
///     tx.commit().await
/// }
///
/// let consumers = Shop::registry().consumers;
/// assert_eq!((consumers[0].options.name, consumers[0].registry), ("billing.book", "Billing"));
/// ```
///
/// Two includes may include the same third registry. What they have of it is one: its consumers run
/// once, with the state that the first of them hands it. To emit an event that comes through
/// several includes, name the one: `outbox.of::<Common>().emit(...)`, which `include` lists too.
///
/// # Handlers
///
/// ```
/// # use outbox_runtime::{EmittingHandler, Event, Outbox, Registry, Result, Sqlite, registry};
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Event, Serialize, Deserialize, JsonSchema)]
/// # #[event(name = "rpc.orders.place")]
/// # struct PlaceOrderEvent {}
/// # #[allow(non_camel_case_types)]
/// # struct place_order {}
/// # impl EmittingHandler for place_order {
/// #     type Event = PlaceOrderEvent;
/// #     type Generated = PlaceOrderEvent;
/// #     const NAME: &'static str = "place_order";
/// #     const GENERATES: bool = true;
/// #     const COMMITS: bool = true;
/// # }
/// // `place_order` is a function with `#[emits(name = "rpc.orders.place", ...)]`.
/// registry! {
///     struct Shop;
///     handlers: [place_order],
/// }
///
/// // Its event is listed with it.
/// async fn place(outbox: &Outbox<Shop, Sqlite>) -> Result<()> {
///     let mut tx = outbox.begin().await?;
///     outbox.emit(&mut tx, PlaceOrderEvent {}).await?;
///     tx.commit().await
/// }
///
/// assert_eq!(Shop::registry().handlers[0].name, "place_order");
/// assert_eq!(Shop::registry().events[0].name, "rpc.orders.place");
/// ```
#[proc_macro]
pub fn registry(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    registry::declare(input.into()).into()
}
