//! What an event says of its cause: the request, or the event whose handling emitted it.

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{
    Backend, Cause, Context, Delivery, Error, EventFilter, HasOutbox, Outbox, OutboxTx, Registered,
    State, StoredEvent, consumer, emits, headers, registry,
};
use outbox_tests::{Db, Ping};

crate::both! {
    the_cause_of_the_transaction_is_that_of_its_events,
    the_cause_of_the_task_is_nearer_than_that_of_the_transaction,
    a_context_names_its_event_as_the_cause_on_any_task,
    a_context_emits_what_the_registry_lists,
}

#[emits(name = "rpc.start", input(n))]
async fn start<DB: Backend>(tx: OutboxTx<DB>, n: u64) -> Result<(), Error> {
    let _ = (tx, n);
    Ok(())
}

/// Emits on another task, through the database of the test.
#[consumer(name = "start-to-ping", start = beginning)]
async fn start_to_ping(
    start: Delivery<StartEvent>,
    State(emitter): State<Emitter>,
    context: Context,
) -> Result<(), Error> {
    tokio::spawn(emitter.emit(Ping::new(start.input), context)).await.expect("it does not panic")
}

registry! {
    struct Started;
    state: Emitter,
    events: [StartEvent, Ping],
    consumers: [start_to_ping],
}

/// The outbox of either database.
#[derive(Clone, Debug)]
enum Emitter {
    Postgres(Outbox<Started, outbox_runtime::Postgres>),
    Sqlite(Outbox<Started, outbox_runtime::Sqlite>),
}

impl Emitter {
    async fn emit(self, ping: Ping, context: Context) -> Result<(), Error> {
        match self {
            Self::Postgres(outbox) => emit_in(outbox, ping, context).await,
            Self::Sqlite(outbox) => emit_in(outbox, ping, context).await,
        }
    }
}

async fn emit_in<DB: Backend>(
    outbox: Outbox<Started, DB>,
    ping: Ping,
    context: Context,
) -> Result<(), Error> {
    let mut tx = outbox.begin().await?;
    context.emit(&mut tx, ping).await?;
    tx.commit().await
}

fn emitter<DB: Db>(outbox: &TestOutbox<Started, DB>) -> Emitter {
    let any: &dyn std::any::Any = outbox.outbox();
    match (any.downcast_ref(), any.downcast_ref()) {
        (Some(outbox), _) => Emitter::Postgres(Outbox::clone(outbox)),
        (_, Some(outbox)) => Emitter::Sqlite(Outbox::clone(outbox)),
        _ => panic!("neither database"),
    }
}

fn told(event: &StoredEvent, name: &str) -> Option<String> {
    event.headers.get(name).map(str::to_owned)
}

async fn the_cause_of_the_transaction_is_that_of_its_events<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Started, DB>::new().await?;
    let request = || Cause::request().correlation_id("request-7").traceparent("00-trace-span-01");
    start(OutboxTx::new(&outbox).caused_by(request()), 1).await?;
    let mut tx =
        OutboxTx::new(HasOutbox::outbox(outbox.outbox())).caused_by(request()).begin().await?;
    outbox.emit(&mut tx, Ping::new(2)).await?;
    let mut savepoint = tx.savepoint().await?;
    outbox.emit_all(savepoint.tx(), [Ping::new(3)]).await?;
    savepoint.release().await?;
    tx.commit().await?;
    let events = outbox.events(&EventFilter::all()).await?;
    assert_eq!(events.len(), 3);
    for event in &events {
        assert_eq!(told(event, headers::CORRELATION_ID).as_deref(), Some("request-7"));
        assert_eq!(told(event, headers::TRACEPARENT).as_deref(), Some("00-trace-span-01"));
        assert_eq!(told(event, headers::CAUSATION_ID), None);
    }
    Ok(())
}

async fn the_cause_of_the_task_is_nearer_than_that_of_the_transaction<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Started, DB>::new().await?;
    let of_tx = Cause::request().correlation_id("transaction").tracestate("a=1");
    let of_task = Cause::request().correlation_id("task");
    of_task.scope(start(OutboxTx::new(&outbox).caused_by(of_tx), 1)).await?;
    let events = outbox.events(&EventFilter::all()).await?;
    let all: Vec<_> = events[0].headers.iter().collect();
    assert_eq!(all, [(headers::CORRELATION_ID, "task")]);
    Ok(())
}

async fn a_context_names_its_event_as_the_cause_on_any_task<DB: Db>() -> Result<()>
where
    Started: Registered<Ping, outbox_runtime::Own>,
{
    let outbox = TestOutbox::<Started, DB>::new().await?;
    let request = Cause::request().correlation_id("request-7");
    start(OutboxTx::new(&outbox).caused_by(request), 1).await?;
    outbox.drain(emitter(&outbox)).await?;
    let events = outbox.events(&EventFilter::all()).await?;
    let names: Vec<_> = events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["rpc.start", "test.ping"]);
    let first = events[0].id.to_string();
    assert_eq!(told(&events[1], headers::CAUSATION_ID), Some(first));
    assert_eq!(told(&events[1], headers::CAUSED_BY).as_deref(), Some("start-to-ping"));
    assert_eq!(told(&events[1], headers::CORRELATION_ID).as_deref(), Some("request-7"));
    Ok(())
}

/// Consumes an event, and emits what its registry does not list.
#[consumer(name = "strays", start = beginning, retry = none)]
async fn strays(_: Delivery<StartEvent>, State(emitter): State<StrayEmitter>, context: Context) {
    let refused = match emitter {
        StrayEmitter::Postgres(outbox) => stray_in(outbox, context).await,
        StrayEmitter::Sqlite(outbox) => stray_in(outbox, context).await,
    };
    assert!(refused.contains("`test.ping` is not in registry `Stray`: add `Ping` to"), "{refused}");
}

registry! {
    struct Stray;
    state: StrayEmitter,
    events: [StartEvent],
    consumers: [strays],
}

#[derive(Clone, Debug)]
enum StrayEmitter {
    Postgres(Outbox<Stray, outbox_runtime::Postgres>),
    Sqlite(Outbox<Stray, outbox_runtime::Sqlite>),
}

async fn stray_in<DB: Backend>(outbox: Outbox<Stray, DB>, context: Context) -> String {
    let mut tx = outbox.begin().await.expect("it begins");
    context.emit(&mut tx, Ping::new(1)).await.expect_err("not listed").to_string()
}

async fn a_context_emits_what_the_registry_lists<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Stray, DB>::new().await?;
    start(OutboxTx::new(&outbox), 1).await?;
    let any: &dyn std::any::Any = outbox.outbox();
    let emitter = match (any.downcast_ref(), any.downcast_ref()) {
        (Some(outbox), _) => StrayEmitter::Postgres(Outbox::clone(outbox)),
        (_, Some(outbox)) => StrayEmitter::Sqlite(Outbox::clone(outbox)),
        _ => panic!("neither database"),
    };
    let tally = outbox.drain(emitter).await?;
    assert_eq!((tally.handled, tally.dead), (1, 0));
    Ok(())
}
