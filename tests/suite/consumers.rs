//! The scripted consumers of the suite, and registries of them.

use std::time::Duration;

use outbox_runtime::{Attempt, ConsumerError, Delivery, Outcome, Retry, State, consumer, registry};
use outbox_tests::{Ping, Probe};

/// Consumers that do as their probe says, each in a registry of its own.
macro_rules! scripted {
    ($($registry:ident: $consumer:ident $name:tt ($($options:tt)*);)+) => {$(
        #[consumer(name = $name, $($options)*)]
        pub(crate) async fn $consumer(
            ping: Delivery<Ping>,
            State(probe): State<Probe>,
        ) -> Result<Outcome, ConsumerError> {
            probe.handle($name, &ping).await
        }

        registry! {
            pub(crate) struct $registry;
            state: Probe,
            events: [Ping],
            consumers: [$consumer],
        }
    )+};
}

scripted! {
    Plain: plain "plain" (start = beginning, retry(max = 3, backoff = "10s..20s"));
    Audited: audited "audited" (start = beginning, retry(max = 2, backoff = "10s..10s"), audit);
    Hasty: hasty "hasty" (start = beginning, retry(max = 2, backoff = "10s..10s"), timeout = "300ms");
    Advised: advised "advised" (start = beginning, retry(max = 5, with = advice));
    Hopeless: hopeless "hopeless" (start = beginning, retry = none);
    Picky: picky "picky" (start = beginning, when = |ping| ping.n % 2 == 0);
    Delayed: delayed "delayed" (start = beginning, delay = "1h", retry(max = 2, backoff = "10s..10s"));
    DelayedByN: delayed_by_n "delayed-by-n" (start = beginning, delay = |ping| Duration::from_secs(ping.n));
    Narrow: narrow "narrow" (start = beginning, concurrency = 2);
    Ordered: ordered "ordered" (start = beginning, ordered, retry(max = 3, backoff = "10s..20s"));
    OrderedOn: ordered_on "ordered-on" (
        start = beginning, ordered, on_dead = continue, retry(max = 2, backoff = "10s..10s")
    );
    OrderedPicky: ordered_picky "ordered-picky" (start = beginning, ordered, when = |ping| ping.n % 2 == 0);
    OrderedDelayed: ordered_delayed "ordered-delayed" (
        start = beginning, ordered, delay = |ping| Duration::from_secs(3600 - 60 * ping.n)
    );
    Sharded: sharded "sharded" (start = beginning, ordered, shards = 4, retry(max = 3, backoff = "10s..20s"));
    FromNow: from_now "from-now" ();
    FromTime: from_time "from-time" (start = "2026-01-31T09:00:00Z");
}

fn advice(attempt: &Attempt, error: &ConsumerError) -> Retry {
    if error.to_string().contains("cannot answer") {
        return Retry::Dead;
    }
    Retry::After(Duration::from_secs(100 * u64::from(attempt.number)))
}

registry! {
    /// Several consumers of one event.
    pub(crate) struct Several;
    state: Probe,
    events: [Ping],
    consumers: [plain, ordered, picky],
}

/// Two consumers of one name each, in several shards.
#[consumer(name = "one", start = beginning, ordered, shards = 2)]
async fn one(ping: Delivery<Ping>, State(probe): State<Probe>) -> Result<Outcome, ConsumerError> {
    probe.handle("one", &ping).await
}

#[consumer(name = "two", start = beginning, ordered, shards = 2)]
async fn two(ping: Delivery<Ping>, State(probe): State<Probe>) -> Result<Outcome, ConsumerError> {
    probe.handle("two", &ping).await
}

registry! {
    /// Two ordered consumers of two shards.
    pub(crate) struct OrderedTwice;
    state: Probe,
    events: [Ping],
    consumers: [one, two],
}
