//! What a chaos test tells the program `victim`, and what that program writes down.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use outbox_runtime::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Ping;

/// How long the lease of a victim lasts, if nothing else is ordered: short, so that tests do not wait,
/// and long enough for it to be renewed on a machine whose cores many victims want.
pub const LEASE: Duration = Duration::from_secs(5);

/// How a victim works.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Orders {
    /// The database.
    pub url: String,
    /// The file that gets a line for each delivery.
    pub log: PathBuf,
    /// Which consumers the victim was built with.
    pub release: Release,
    /// How long a lease lasts.
    pub lease: Duration,
    /// How many connections its pool has.
    pub connections: u32,
    /// How long the handlers of a consumer take.
    pub delays: BTreeMap<String, Duration>,
    /// Whether the handlers of `outside` fail at first at one event of sixteen.
    pub flaky: bool,
    /// How long it waits for an answer of the database, if not as long as workers do.
    pub answer_timeout: Option<Duration>,
    /// How many connections of its own pool it takes away from its worker, and for how long, when
    /// it reads a line on its standard input.
    pub hold: Option<(u32, Duration)>,
}

impl Orders {
    /// What most tests order: a short lease, and the first release.
    #[must_use]
    pub fn new(url: &str, log: PathBuf) -> Self {
        Self {
            url: url.to_owned(),
            log,
            release: Release::First,
            lease: LEASE,
            connections: 6,
            delays: BTreeMap::from([("outside".to_owned(), Duration::from_millis(2))]),
            flaky: false,
            answer_timeout: None,
            hold: None,
        }
    }

    /// How long a lease lasts.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// How long the handlers of a consumer take.
    #[must_use]
    pub fn delay(mut self, consumer: &str, delay: Duration) -> Self {
        self.delays.insert(consumer.to_owned(), delay);
        self
    }

    /// Which consumers the victim was built with.
    #[must_use]
    pub fn release(mut self, release: Release) -> Self {
        self.release = release;
        self
    }
}

/// The versions of the program that deployments put side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Release {
    /// Version 1 of the event; `outside` and `inside`.
    First,
    /// Version 2 of the event; `outside`, `inside` and `newcomer`.
    Second,
    /// `slow` beside `quick`, and nothing else.
    Slow,
}

/// What [`Ping`] is in the second release.
#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "test.ping", version = 2, key = key, upcast(from = Ping))]
pub struct PingV2 {
    /// The key, if it is to have one.
    pub key: Option<String>,
    /// Tells pings apart.
    pub number: u64,
}

impl From<Ping> for PingV2 {
    fn from(ping: Ping) -> Self {
        Self { key: ping.key, number: ping.n }
    }
}

/// A delivery that a victim wrote down when its handler began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which consumer.
    pub consumer: String,
    /// The event's key.
    pub key: String,
    /// The event's number.
    pub n: u64,
    /// The process.
    pub pid: u32,
    /// When, since 1970, by the clock of the process.
    pub at: Duration,
}

impl Line {
    /// The delivery that begins now, in this process.
    #[must_use]
    pub fn now(consumer: &str, key: Option<&str>, n: u64) -> Self {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let key = key.unwrap_or("-").to_owned();
        Self { consumer: consumer.to_owned(), key, n, pid: std::process::id(), at }
    }

    /// The line, with its end.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Self { consumer, key, n, pid, at } = self;
        format!("{consumer} {key} {n} {pid} {}\n", at.as_micros())
    }

    /// Reads a line.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        Some(Self {
            consumer: words.next()?.to_owned(),
            key: words.next()?.to_owned(),
            n: words.next()?.parse().ok()?,
            pid: words.next()?.parse().ok()?,
            at: Duration::from_micros(words.next()?.parse().ok()?),
        })
    }
}
