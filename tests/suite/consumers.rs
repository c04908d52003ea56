//! Registries with one scripted consumer each.

use outbox_runtime::{ConsumerError, Delivery, Outcome, State, consumer, registry};
use outbox_tests::{Ping, Probe};

/// At least once, unordered.
#[consumer(name = "plain", start = beginning, retry(max = 3, backoff = "10s..20s"), timeout = "5s")]
pub(crate) async fn plain(
    ping: Delivery<Ping>,
    State(probe): State<Probe>,
) -> Result<Outcome, ConsumerError> {
    probe.handle("plain", &ping).await
}

/// Ordered by key; dead letters hold their key.
#[consumer(name = "ordered", start = beginning, ordered, retry(max = 3, backoff = "10s..20s"))]
pub(crate) async fn ordered(
    ping: Delivery<Ping>,
    State(probe): State<Probe>,
) -> Result<Outcome, ConsumerError> {
    probe.handle("ordered", &ping).await
}

registry! {
    /// One consumer, unordered.
    pub struct Plain;
    state: Probe,
    events: [Ping],
    consumers: [plain],
}

registry! {
    /// One consumer, ordered.
    pub struct Ordered;
    state: Probe,
    events: [Ping],
    consumers: [ordered],
}
