//! A consumer's memory: what it has seen, and what it is told to do.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use outbox_runtime::{ConsumerError, Delivery, Event, Headers, Outcome};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use uuid::Uuid;

/// The event of most tests.
#[derive(Clone, Debug, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "test.ping", version = 1, key = key)]
pub struct Ping {
    /// The key, if it is to have one.
    pub key: Option<String>,
    /// Tells pings apart.
    pub n: u64,
}

impl Ping {
    /// A ping without a key.
    #[must_use]
    pub fn new(n: u64) -> Self {
        Self { key: None, n }
    }

    /// A ping with a key.
    #[must_use]
    pub fn keyed(key: &str, n: u64) -> Self {
        Self { key: Some(key.to_owned()), n }
    }
}

/// What a scripted handler does.
#[derive(Clone, Debug)]
pub enum Act {
    /// Succeeds.
    Succeed,
    /// Succeeds with a note.
    Note(&'static str),
    /// Fails; tried again as the consumer is configured.
    Fail,
    /// Fails for good.
    Permanent,
    /// Fails, and says when to try again.
    RetryAfter(Duration),
    /// Not now.
    Snooze(Duration),
    /// Nothing to do.
    Skip,
    /// Panics.
    Panic,
    /// Never returns.
    Hang,
    /// Waits until [`Probe::open_gate`].
    Gate,
    /// Fails with an error that has causes.
    FailInChain,
}

/// A call of a handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Which consumer.
    pub consumer: &'static str,
    /// The event's id.
    pub id: Uuid,
    /// The event's number.
    pub n: u64,
    /// The event's key.
    pub key: Option<String>,
    /// Which attempt.
    pub attempt: u32,
    /// The event's headers.
    pub headers: Headers,
    /// The delivery's idempotency key.
    pub idempotency_key: String,
}

type Script = dyn Fn(&str, &Ping, u32) -> Act + Send + Sync;

/// The state of the suites' registries.
#[derive(Clone)]
pub struct Probe(Arc<Inner>);

struct Inner {
    seen: Mutex<Vec<Seen>>,
    script: Mutex<Arc<Script>>,
    changed: watch::Sender<()>,
    gate: watch::Sender<bool>,
    running: Mutex<Vec<Option<String>>>,
    peak: AtomicUsize,
    overlapped: AtomicBool,
}

/// A call that has not ended.
struct Call<'p> {
    probe: &'p Probe,
    key: Option<String>,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let mut running = lock(&self.probe.0.running);
        if let Some(index) = running.iter().position(|key| *key == self.key) {
            running.swap_remove(index);
        }
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("seen", &self.seen()).finish()
    }
}

impl Default for Probe {
    fn default() -> Self {
        Self::new(|_, _, _| Act::Succeed)
    }
}

impl Probe {
    /// Handlers do what `script` says of the consumer, the event and the attempt.
    pub fn new(script: impl Fn(&str, &Ping, u32) -> Act + Send + Sync + 'static) -> Self {
        // A failing test shows what the engine said; only the first of a process sets it up.
        let _ = tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
            .with_test_writer()
            .try_init();
        Self(Arc::new(Inner {
            seen: Mutex::default(),
            script: Mutex::new(Arc::new(script)),
            changed: watch::Sender::new(()),
            gate: watch::Sender::new(false),
            running: Mutex::default(),
            peak: AtomicUsize::new(0),
            overlapped: AtomicBool::new(false),
        }))
    }

    /// From now on, handlers do something else.
    pub fn rescript(&self, script: impl Fn(&str, &Ping, u32) -> Act + Send + Sync + 'static) {
        *lock(&self.0.script) = Arc::new(script);
    }

    /// What a scripted handler calls.
    ///
    /// # Errors
    ///
    /// As scripted.
    pub async fn handle(
        &self,
        consumer: &'static str,
        delivery: &Delivery<Ping>,
    ) -> Result<Outcome, ConsumerError> {
        let script = Arc::clone(&lock(&self.0.script));
        let act = script(consumer, delivery, delivery.attempt());
        let _call = self.enter(delivery);
        self.note(consumer, delivery);
        match act {
            Act::Succeed => Ok(().into()),
            Act::Note(note) => Ok(note.into()),
            Act::Fail => Err(std::io::Error::other("scripted failure").into()),
            Act::Permanent => Err(ConsumerError::permanent("scripted permanent failure")),
            Act::RetryAfter(wait) => Err(ConsumerError::retry_after(wait, "scripted wait")),
            Act::Snooze(wait) => Ok(Outcome::snooze(wait)),
            Act::Skip => Ok(Outcome::skip("scripted skip")),
            Act::Panic => panic!("scripted panic"),
            Act::Hang => std::future::pending().await,
            Act::Gate => {
                let mut gate = self.0.gate.subscribe();
                // The sender lives in `self`.
                let _ = gate.wait_for(|open| *open).await;
                Ok(().into())
            }
            Act::FailInChain => {
                let error = anyhow::anyhow!("the disk is full");
                Err(error.context("cannot write the receipt").context("cannot answer").into())
            }
        }
    }

    fn enter(&self, delivery: &Delivery<Ping>) -> Call<'_> {
        let key = delivery.key().map(str::to_owned);
        let mut running = lock(&self.0.running);
        if key.is_some() && running.contains(&key) {
            self.0.overlapped.store(true, Ordering::Relaxed);
        }
        running.push(key.clone());
        self.0.peak.fetch_max(running.len(), Ordering::Relaxed);
        Call { probe: self, key }
    }

    /// The most calls that ran at the same time.
    #[must_use]
    pub fn peak(&self) -> usize {
        self.0.peak.load(Ordering::Relaxed)
    }

    /// Whether two calls for the same key ever ran at the same time.
    #[must_use]
    pub fn keys_overlapped(&self) -> bool {
        self.0.overlapped.load(Ordering::Relaxed)
    }

    /// Remembers a call.
    pub fn note(&self, consumer: &'static str, delivery: &Delivery<Ping>) {
        self.note_event(consumer, delivery, &delivery.event);
    }

    /// Remembers a call with an event of another type that amounts to a ping.
    pub fn note_event<E>(&self, consumer: &'static str, delivery: &Delivery<E>, ping: &Ping) {
        lock(&self.0.seen).push(Seen {
            consumer,
            id: delivery.id(),
            n: ping.n,
            key: delivery.key().map(str::to_owned),
            attempt: delivery.attempt(),
            headers: delivery.headers().clone(),
            idempotency_key: delivery.idempotency_key(),
        });
        self.0.changed.send_replace(());
    }

    /// Lets handlers at the gate go on.
    pub fn open_gate(&self) {
        self.0.gate.send_replace(true);
    }

    /// Every call so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.0.seen).clone()
    }

    /// The numbers that one consumer has seen, in order.
    #[must_use]
    pub fn numbers(&self, consumer: &str) -> Vec<u64> {
        lock(&self.0.seen)
            .iter()
            .filter(|seen| seen.consumer == consumer)
            .map(|seen| seen.n)
            .collect()
    }

    /// The numbers that one consumer has seen, by key, in order.
    #[must_use]
    pub fn by_key(&self, consumer: &str) -> HashMap<String, Vec<u64>> {
        let mut keys = HashMap::<String, Vec<u64>>::new();
        for seen in lock(&self.0.seen).iter().filter(|seen| seen.consumer == consumer) {
            keys.entry(seen.key.clone().unwrap_or_default()).or_default().push(seen.n);
        }
        keys
    }

    /// The attempts that one consumer has made at one event, in order.
    #[must_use]
    pub fn attempts(&self, consumer: &str, n: u64) -> Vec<u32> {
        let seen = lock(&self.0.seen);
        seen.iter().filter(|s| s.consumer == consumer && s.n == n).map(|s| s.attempt).collect()
    }

    /// Resolves when one consumer has been called so many times.
    pub async fn until_called(&self, consumer: &str, times: usize) {
        self.until(&format!("{times} calls of `{consumer}`"), |seen| {
            seen.iter().filter(|seen| seen.consumer == consumer).count() >= times
        })
        .await;
    }

    /// Forgets every call.
    pub fn forget(&self) {
        lock(&self.0.seen).clear();
    }

    /// Resolves when what has been seen satisfies `enough`.
    pub async fn until(&self, what: &str, enough: impl Fn(&[Seen]) -> bool) {
        let mut changed = self.0.changed.subscribe();
        crate::wait::for_signal(what, async {
            while !enough(&lock(&self.0.seen)) {
                // The sender lives in `self`.
                let _ = changed.changed().await;
            }
        })
        .await;
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
