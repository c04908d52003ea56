//! Handlers of many events at a time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{
    Batch, BatchOutcome, ConsumerError, DeliveryFilter, DeliveryState, Event, Outcome, Own,
    Registered, Registry, State, consumer, registry,
};
use outbox_tests::{Db, Ping, Running};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

crate::both! {
    a_batch_takes_as_many_as_it_may,
    a_full_batch_starts_at_once_and_the_rest_waits,
    a_batch_that_is_longer_than_a_page_of_large_events_fills,
    a_batch_that_does_not_fill_starts_after_its_wait,
    an_error_fails_the_whole_batch,
    a_permanent_error_kills_the_whole_batch,
    events_of_a_batch_can_end_differently,
    an_undecodable_event_is_taken_out_of_its_batch,
    a_wrong_number_of_results_is_an_error,
    a_panic_fails_the_whole_batch,
    a_batch_that_takes_too_long_is_ended,
}

type Script = dyn Fn(&[u64]) -> Result<BatchOutcome, ConsumerError> + Send + Sync;

/// What batch handlers have seen, and what they do.
#[derive(Clone)]
struct Batches {
    seen: Arc<watch::Sender<Vec<Vec<u64>>>>,
    script: Arc<Mutex<Arc<Script>>>,
}

impl Batches {
    fn new(
        script: impl Fn(&[u64]) -> Result<BatchOutcome, ConsumerError> + Send + Sync + 'static,
    ) -> Self {
        Self { seen: Arc::default(), script: Arc::new(Mutex::new(Arc::new(script))) }
    }

    fn all_well() -> Self {
        Self::new(|numbers| Ok(BatchOutcome::all_done(numbers.len())))
    }

    fn handle(&self, batch: &Batch<Ping>) -> Result<BatchOutcome, ConsumerError> {
        self.take(batch.iter().map(|ping| ping.n).collect())
    }

    fn take(&self, numbers: Vec<u64>) -> Result<BatchOutcome, ConsumerError> {
        let script = Arc::clone(&self.script.lock().expect("no panics"));
        self.seen.send_modify(|seen| seen.push(numbers.clone()));
        script(&numbers)
    }

    fn seen(&self) -> Vec<Vec<u64>> {
        let mut seen = self.seen.borrow().clone();
        seen.sort();
        seen
    }

    async fn until(&self, what: &str, enough: impl FnMut(&Vec<Vec<u64>>) -> bool) {
        let mut seen = self.seen.subscribe();
        let seen = outbox_tests::wait::for_signal(what, seen.wait_for(enough)).await;
        drop(seen.expect("the sender lives"));
    }
}

macro_rules! batches {
    ($($registry:ident: $consumer:ident $name:tt ($($options:tt)*);)+) => {$(
        #[consumer(name = $name, start = beginning, retry(max = 2, backoff = "10s..10s"), $($options)*)]
        async fn $consumer(
            pings: Batch<Ping>,
            State(batches): State<Batches>,
        ) -> Result<BatchOutcome, ConsumerError> {
            batches.handle(&pings)
        }

        registry! {
            struct $registry;
            state: Batches,
            events: [Ping],
            consumers: [$consumer],
        }
    )+};
}

batches! {
    Tens: tens "tens" (batch(max = 10, wait = "7d"), concurrency = 1);
    Eager: eager "eager" (batch(max = 10, wait = "20ms"));
}

/// So large that a page has fewer of them than a batch.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "test.heavy", version = 1)]
struct Heavy {
    n: u64,
    weight: String,
}

impl Heavy {
    const BYTES: usize = 160 * 1024;

    fn new(n: u64) -> Self {
        Self { n, weight: "x".repeat(Self::BYTES) }
    }
}

const LONG: usize = 64;

#[consumer(name = "long", start = beginning, batch(max = 64, wait = "7d"))]
async fn long(
    heavies: Batch<Heavy>,
    State(batches): State<Batches>,
) -> Result<BatchOutcome, ConsumerError> {
    batches.take(heavies.iter().map(|heavy| heavy.n).collect())
}

registry! {
    struct Long;
    state: Batches,
    events: [Heavy],
    consumers: [long],
}

#[consumer(
    name = "stuck",
    start = beginning,
    batch(max = 10, wait = "1ms"),
    retry = none,
    timeout = "200ms"
)]
async fn stuck(pings: Batch<Ping>, State(batches): State<Batches>) {
    let _ = batches.handle(&pings);
    std::future::pending().await
}

registry! {
    struct Stuck;
    state: Batches,
    events: [Ping],
    consumers: [stuck],
}

async fn emit<R, DB: Db>(outbox: &TestOutbox<R, DB>, numbers: std::ops::Range<u64>) -> Result<()>
where
    R: Registry + Registered<Ping, Own>,
{
    let mut tx = outbox.begin().await?;
    outbox.emit_all(&mut tx, numbers.map(Ping::new)).await?;
    tx.commit().await?;
    Ok(())
}

async fn a_batch_takes_as_many_as_it_may<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Tens, DB>::new().await?;
    emit(&outbox, 0..25).await?;
    let batches = Batches::all_well();
    let tally = outbox.drain(batches.clone()).await?;
    let range = |from, to| (from..to).collect::<Vec<u64>>();
    assert_eq!(batches.seen(), [range(0, 10), range(10, 20), range(20, 25)]);
    assert_eq!(tally.handled, 25);
    Ok(())
}

async fn a_full_batch_starts_at_once_and_the_rest_waits<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Tens, DB>::new().await?;
    let batches = Batches::all_well();
    let running = Running::start(&outbox, batches.clone());
    emit(&outbox, 0..4).await?;
    emit(&outbox, 4..15).await?;
    batches.until("a full batch", |seen| seen.len() == 1).await;
    emit(&outbox, 15..20).await?;
    batches.until("another full batch", |seen| seen.len() == 2).await;
    emit(&outbox, 20..25).await?;
    running.stop().await?;
    assert_eq!(batches.seen().concat(), (0..20).collect::<Vec<_>>());
    // What was gathered and never given to a handler comes again.
    outbox.drain(batches.clone()).await?;
    assert_eq!(batches.seen().concat(), (0..25).collect::<Vec<_>>());
    Ok(())
}

async fn a_batch_that_is_longer_than_a_page_of_large_events_fills<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Long, DB>::new().await?;
    let batches = Batches::all_well();
    let running = Running::start(&outbox, batches.clone());
    // How large they are, it learns with the first.
    for batch in 1..=3 {
        let mut tx = outbox.begin().await?;
        for n in 0..LONG as u64 {
            outbox.emit(&mut tx, Heavy::new(n)).await?;
        }
        tx.commit().await?;
        batches.until("a full batch", |seen| seen.len() == batch).await;
    }
    running.stop().await?;
    assert!(batches.seen().iter().all(|numbers| numbers.len() == LONG));
    Ok(())
}

async fn a_batch_that_does_not_fill_starts_after_its_wait<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Eager, DB>::new().await?;
    let batches = Batches::all_well();
    let running = Running::start(&outbox, batches.clone());
    emit(&outbox, 0..3).await?;
    batches.until("three events", |seen| seen.concat().len() == 3).await;
    running.stop().await?;
    Ok(())
}

async fn an_error_fails_the_whole_batch<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Tens, DB>::new().await?;
    emit(&outbox, 0..15).await?;
    let batches = Batches::new(|numbers| match numbers[0] {
        0 => Err(anyhow::anyhow!("the disk is full").context("cannot write").into()),
        _ => Ok(BatchOutcome::all_done(numbers.len())),
    });
    let tally = outbox.drain(batches.clone()).await?;
    assert_eq!((tally.handled, tally.retried), (5, 10));
    outbox.advance(Duration::from_secs(10));
    let tally = outbox.drain(batches.clone()).await?;
    assert_eq!((tally.handled, tally.dead), (0, 10));
    assert_eq!(batches.seen().len(), 3);
    for row in outbox.deliveries(&DeliveryFilter::all()).await? {
        assert_eq!((row.state, row.attempts), (DeliveryState::Dead, 2));
        assert_eq!(row.errors.len(), 2);
        assert_eq!(row.errors[1].message, "cannot write");
        assert_eq!(row.errors[1].chain, ["the disk is full"]);
    }
    Ok(())
}

async fn a_permanent_error_kills_the_whole_batch<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Tens, DB>::new().await?;
    emit(&outbox, 0..10).await?;
    let batches = Batches::new(|_| Err(ConsumerError::permanent("no such table")));
    assert_eq!(outbox.drain(batches.clone()).await?.dead, 10);
    Ok(())
}

async fn events_of_a_batch_can_end_differently<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Tens, DB>::new().await?;
    emit(&outbox, 0..10).await?;
    let batches = Batches::new(|numbers| {
        let mut outcome = BatchOutcome::all_done(numbers.len());
        for (index, n) in numbers.iter().enumerate() {
            match n {
                3 => outcome.fail(index, "the fourth"),
                5 => outcome.fail(index, ConsumerError::permanent("the sixth")),
                7 => outcome.set(index, Outcome::skip("not ours")),
                8 => outcome.set(index, Outcome::snooze(Duration::from_secs(5))),
                _ => {}
            }
        }
        Ok(outcome)
    });
    let tally = outbox.drain(batches.clone()).await?;
    assert_eq!((tally.handled, tally.retried, tally.dead, tally.snoozed), (7, 1, 1, 1));
    outbox.advance(Duration::from_secs(10));
    outbox.drain(batches.clone()).await?;
    assert_eq!(batches.seen(), [(0..10).collect::<Vec<_>>(), vec![3, 8]]);
    let rows = outbox.deliveries(&DeliveryFilter::all().state(DeliveryState::Dead)).await?;
    let messages: Vec<_> = rows.iter().map(|row| row.errors[0].message.as_str()).collect();
    assert_eq!(messages, ["the fourth", "the sixth"]);
    Ok(())
}

async fn an_undecodable_event_is_taken_out_of_its_batch<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Tens, DB>::new().await?;
    emit(&outbox, 0..3).await?;
    DB::append(outbox.pool(), "test.ping", 1, None, r#"{"n": []}"#).await?;
    emit(&outbox, 3..6).await?;
    let batches = Batches::new(|numbers| {
        let mut outcome = BatchOutcome::all_done(numbers.len());
        // Results belong to the right events although one is missing.
        outcome.fail(4, "number four");
        Ok(outcome)
    });
    let tally = outbox.drain(batches.clone()).await?;
    assert_eq!(batches.seen(), [[0, 1, 2, 3, 4, 5]]);
    assert_eq!((tally.handled, tally.dead, tally.retried), (5, 1, 1));
    let rows = outbox.deliveries(&DeliveryFilter::all()).await?;
    let kinds: Vec<_> = rows.iter().map(|row| row.errors[0].kind.as_str()).collect();
    assert_eq!(kinds, ["undecodable", "error"]);
    assert!(rows[1].event.payload.get().contains('4'), "{:?}", rows[1].event.payload);
    Ok(())
}

async fn a_wrong_number_of_results_is_an_error<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Tens, DB>::new().await?;
    emit(&outbox, 0..3).await?;
    let batches = Batches::new(|_| Ok(BatchOutcome::all_done(2)));
    assert_eq!(outbox.drain(batches).await?.dead, 3);
    let row = outbox.deliveries(&DeliveryFilter::all()).await?.remove(0);
    assert_eq!(row.errors[0].message, "the handler returned 2 results for 3 events");
    Ok(())
}

async fn a_panic_fails_the_whole_batch<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Tens, DB>::new().await?;
    emit(&outbox, 0..3).await?;
    let batches = Batches::new(|numbers| panic!("scripted panic of {}", numbers.len()));
    assert_eq!(outbox.drain(batches).await?.retried, 3);
    let row = outbox.deliveries(&DeliveryFilter::all()).await?.remove(0);
    assert_eq!(row.errors[0].message, "panicked: scripted panic of 3");
    Ok(())
}

async fn a_batch_that_takes_too_long_is_ended<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Stuck, DB>::new().await?;
    emit(&outbox, 0..3).await?;
    assert_eq!(outbox.drain(Batches::all_well()).await?.dead, 3);
    let row = outbox.deliveries(&DeliveryFilter::all()).await?.remove(0);
    assert_eq!(row.errors[0].kind, "timeout");
    Ok(())
}
