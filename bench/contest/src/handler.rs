//! What the consumers of all contestants do.

use std::fmt;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::clock::Monotonic;
use crate::marks::Marks;
use crate::order::Order;
use crate::task::{Kind, Load};

/// The handler of every consumer: it counts, and does what the task says.
#[derive(Debug, Clone)]
pub struct Handler(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    load: Load,
    /// The orders of one key are refused.
    refuses: bool,
    expected: u64,
    handled: AtomicU64,
    first: OnceLock<Monotonic>,
    finished: Notify,
    started: Option<Arc<Marks>>,
}

impl Handler {
    pub(crate) fn new(kind: Kind, load: Load, expected: u64, started: Option<Arc<Marks>>) -> Self {
        Self(Arc::new(Inner {
            load,
            refuses: kind == Kind::Ordered,
            expected,
            handled: AtomicU64::new(0),
            first: OnceLock::new(),
            finished: Notify::new(),
            started,
        }))
    }

    /// Handles one decoded event. `order` is whatever the contestant's own type is.
    ///
    /// # Errors
    ///
    /// [`Refused`] for every order of one key, in [`Kind::Ordered`].
    pub async fn handle<O>(&self, n: u64, order: &O) -> Result<(), Refused> {
        if let Some(started) = &self.0.started {
            started.set(n);
        }
        // It was decoded for something.
        black_box(order);
        match self.0.load {
            Load::Nothing => {}
            Load::Wait => tokio::time::sleep(Duration::from_millis(5)).await,
            Load::Burn => burn(Duration::from_micros(50)),
        }
        if self.0.refuses && Order::is_poisoned(n) {
            return Err(Refused);
        }
        self.count(1);
        Ok(())
    }

    fn count(&self, more: u64) {
        let before = self.0.handled.fetch_add(more, Ordering::Relaxed);
        if before == 0 {
            self.0.first.get_or_init(Monotonic::now);
        }
        let handled = before + more;
        if handled >= self.0.expected {
            self.0.finished.notify_waiters();
            self.0.finished.notify_one();
        }
    }

    /// How many were handled so far.
    pub fn handled(&self) -> u64 {
        self.0.handled.load(Ordering::Relaxed)
    }

    /// When the first was handled.
    pub(crate) fn first(&self) -> Option<Monotonic> {
        self.0.first.get().copied()
    }

    /// Waits until everything that was expected was handled.
    pub async fn finished(&self) {
        while self.handled() < self.0.expected {
            self.0.finished.notified().await;
        }
    }
}

fn burn(time: Duration) {
    let began = Instant::now();
    while began.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// The handler does not want this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("orders of this key are refused")
    }
}

impl std::error::Error for Refused {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_poisoned_key_is_refused_and_the_rest_counted() {
        let handler = Handler::new(Kind::Ordered, Load::Nothing, 1, None);
        assert_eq!(handler.handle(0, &()).await, Err(Refused));
        assert_eq!(handler.handle(Order::KEYS, &()).await, Err(Refused));
        assert_eq!(handler.handle(1, &()).await, Ok(()));
        handler.finished().await;
        assert_eq!(handler.handled(), 1);
    }
}
