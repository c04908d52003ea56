//! Waiting for signals, with generous deadlines.

use std::future::Future;
use std::time::Duration;

/// How long anything may take before a test gives up.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// Waits for something that must happen.
///
/// # Panics
///
/// After [`DEADLINE`].
pub async fn for_signal<T>(what: &str, signal: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, signal).await {
        Ok(value) => value,
        Err(_elapsed) => panic!("waited {DEADLINE:?} in vain for: {what}"),
    }
}

/// Asks until the answer is yes, for what has no signal of its own (another process, the database).
///
/// # Panics
///
/// After [`DEADLINE`].
pub async fn until<F: Future<Output = bool>>(what: &str, mut ask: impl FnMut() -> F) {
    for_signal(what, async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}
