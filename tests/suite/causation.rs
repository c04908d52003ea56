//! What caused an event travels with it, without the user doing anything.

use anyhow::Result;
use futures_util::future::BoxFuture;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{
    Cause, ConsumerError, Delivery, Emit, Emittable, Emitted, Event, EventFilter, Outbox, State,
    StoredEvent, Worker, consumer, headers, registry,
};
use outbox_tests::{Act, Db, Ping, Probe};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

crate::both! {
    a_chain_of_events_tells_what_caused_what,
    the_trace_of_the_request_goes_all_the_way,
    headers_given_at_emit_win,
    without_a_cause_nothing_is_written,
    what_an_event_caused_can_be_listed,
    a_retried_attempt_names_the_same_cause,
    drain_runs_chains_to_their_end,
}

/// The second event of the chain.
#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "test.pong", version = 1)]
struct Pong {
    n: u64,
}

/// The third.
#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "test.done", version = 1)]
struct Done {
    n: u64,
}

/// Emits without naming the database in the registry's state.
type Emitter<E> = Arc<dyn Fn(E) -> BoxFuture<'static, Result<Emitted>> + Send + Sync>;

#[derive(Clone)]
struct Chain {
    probe: Probe,
    pong: Emitter<Pong>,
    done: Emitter<Done>,
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").finish_non_exhaustive()
    }
}

impl Chain {
    fn new<DB: Db>(outbox: &Outbox<Chained, DB>, probe: &Probe) -> Self {
        let (first, second) = (outbox.clone(), outbox.clone());
        Self {
            probe: probe.clone(),
            pong: Arc::new(move |event| Box::pin(emit(first.clone(), event))),
            done: Arc::new(move |event| Box::pin(emit(second.clone(), event))),
        }
    }
}

async fn emit<E, DB: Db>(outbox: Outbox<Chained, DB>, event: E) -> Result<Emitted>
where
    E: Event + Emittable,
    Chained: outbox_runtime::Registered<E, outbox_runtime::Own>,
{
    let mut tx = outbox.begin().await?;
    let emitted = outbox.emit(&mut tx, event).await?;
    tx.commit().await?;
    Ok(emitted)
}

#[consumer(name = "ping-to-pong", start = beginning)]
async fn ping_to_pong(
    ping: Delivery<Ping>,
    State(chain): State<Chain>,
) -> Result<(), ConsumerError> {
    (chain.pong)(Pong { n: ping.n }).await?;
    chain.probe.handle("ping-to-pong", &ping).await.map(drop)
}

#[consumer(name = "pong-to-done", start = beginning)]
async fn pong_to_done(pong: Delivery<Pong>, State(chain): State<Chain>) -> Result<()> {
    (chain.done)(Done { n: pong.n }).await?;
    Ok(())
}

#[consumer(name = "done", start = beginning)]
async fn done(done: Delivery<Done>, State(chain): State<Chain>) {
    chain.probe.note_event("done", &done, &Ping::new(done.n));
}

registry! {
    struct Chained;
    state: Chain,
    events: [Ping, Pong, Done],
    // The last of the chain is first here, so that draining takes several passes.
    consumers: [done, pong_to_done, ping_to_pong],
}

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The three events of a chain that begins with this one.
async fn run<DB: Db>(first: Emit<Ping>, cause: Option<Cause>) -> Result<[StoredEvent; 3]> {
    let outbox = TestOutbox::<Chained, DB>::new().await?;
    let emit = async {
        let mut tx = outbox.begin().await?;
        outbox.emit(&mut tx, first).await?;
        tx.commit().await
    };
    match cause {
        Some(cause) => cause.scope(emit).await?,
        None => emit.await?,
    }
    let probe = Probe::default();
    outbox.drain(Chain::new(outbox.outbox(), &probe)).await?;
    assert_eq!(probe.numbers("done"), [1]);
    let events = outbox.events(&EventFilter::all()).await?;
    let names: Vec<_> = events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(names, ["test.ping", "test.pong", "test.done"]);
    Ok(events.try_into().expect("three events"))
}

async fn a_chain_of_events_tells_what_caused_what<DB: Db>() -> Result<()> {
    let [ping, pong, done] = run::<DB>(Emit::new(Ping::new(1)), None).await?;
    let told = |event: &StoredEvent| {
        [headers::CAUSATION_ID, headers::CAUSED_BY, headers::CORRELATION_ID]
            .map(|name| event.headers.get(name).map(str::to_owned))
    };
    let first = ping.id.to_string();
    assert!(ping.headers.is_empty(), "{:?}", ping.headers);
    let expected = [first.clone(), "ping-to-pong".to_owned(), first.clone()].map(Some);
    assert_eq!(told(&pong), expected);
    let expected = [pong.id.to_string(), "pong-to-done".to_owned(), first].map(Some);
    assert_eq!(told(&done), expected);
    Ok(())
}

async fn the_trace_of_the_request_goes_all_the_way<DB: Db>() -> Result<()> {
    let request = Cause::request()
        .correlation_id("request-7")
        .traceparent(TRACEPARENT)
        .tracestate("congo=t61rcWkgMzE");
    let events = run::<DB>(Emit::new(Ping::new(1)), Some(request)).await?;
    for event in &events {
        assert_eq!(event.headers.get(headers::CORRELATION_ID), Some("request-7"));
        assert_eq!(event.headers.get(headers::TRACEPARENT), Some(TRACEPARENT));
        assert_eq!(event.headers.get(headers::TRACESTATE), Some("congo=t61rcWkgMzE"));
    }
    assert_eq!(events[0].headers.get(headers::CAUSATION_ID), None);
    assert_eq!(events[0].headers.get(headers::CAUSED_BY), None);
    assert_eq!(events[2].headers.get(headers::CAUSED_BY), Some("pong-to-done"));
    Ok(())
}

async fn headers_given_at_emit_win<DB: Db>() -> Result<()> {
    let request = Cause::request().correlation_id("from the request").traceparent(TRACEPARENT);
    let first = Emit::new(Ping::new(1)).header(headers::CORRELATION_ID, "given");
    let [ping, _, done] = run::<DB>(first, Some(request)).await?;
    assert_eq!(ping.headers.get(headers::CORRELATION_ID), Some("given"));
    assert_eq!(ping.headers.get(headers::TRACEPARENT), Some(TRACEPARENT));
    assert_eq!(done.headers.get(headers::CORRELATION_ID), Some("given"));
    Ok(())
}

async fn without_a_cause_nothing_is_written<DB: Db>() -> Result<()> {
    let [ping, pong, _] = run::<DB>(Emit::new(Ping::new(1)).header("tenant", "a"), None).await?;
    assert_eq!(ping.headers.iter().collect::<Vec<_>>(), [("tenant", "a")]);
    assert_eq!(pong.headers.get("tenant"), None, "an application's headers are its own");
    assert_eq!(pong.headers.get(headers::TRACEPARENT), None);
    Ok(())
}

async fn what_an_event_caused_can_be_listed<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Chained, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    let first = outbox.emit_all(&mut tx, (0..3).map(Ping::new)).await?;
    tx.commit().await?;
    outbox.drain(Chain::new(outbox.outbox(), &Probe::default())).await?;
    let caused = outbox.events(&EventFilter::all().caused_by(first[1].id)).await?;
    assert_eq!(caused.len(), 1);
    assert_eq!(Pong::decode(1, &caused[0].payload)?, Pong { n: 1 });
    let further = outbox.events(&EventFilter::all().caused_by(caused[0].id)).await?;
    assert_eq!(Done::decode(1, &further[0].payload)?, Done { n: 1 });
    assert!(outbox.events(&EventFilter::all().caused_by(further[0].id)).await?.is_empty());
    assert!(outbox.events(&EventFilter::all().caused_by(Uuid::nil())).await?.is_empty());
    Ok(())
}

async fn a_retried_attempt_names_the_same_cause<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Chained, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    let ping = outbox.emit(&mut tx, Ping::new(1)).await?;
    tx.commit().await?;
    let probe = Probe::new(|_, _, attempt| if attempt == 1 { Act::Fail } else { Act::Succeed });
    for _ in 0..2 {
        outbox.drain(Chain::new(outbox.outbox(), &probe)).await?;
        outbox.advance(std::time::Duration::from_secs(1000));
    }
    // At least once: each attempt emitted.
    assert_eq!(outbox.events(&EventFilter::all().caused_by(ping.id)).await?.len(), 2);
    Ok(())
}

async fn drain_runs_chains_to_their_end<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Chained, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    outbox.emit_all(&mut tx, (0..20).map(Ping::new)).await?;
    tx.commit().await?;
    let probe = Probe::default();
    let worker = Worker::new(outbox.outbox().clone(), Chain::new(outbox.outbox(), &probe));
    let tally = worker.drain().await?;
    assert_eq!(tally.handled, 60);
    assert_eq!(probe.numbers("done").len(), 20);
    assert!(outbox.stats().await?.iter().all(|stats| stats.lag_events == 0));
    Ok(())
}
