//! One attempt: the user's function, with everything that can happen to it.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::decide::Ended;
use super::queue::Item;
use crate::consumer::{Attempted, ConsumerOptions, Context};
use crate::headers::stamped;

/// What the handlers of a batch, or a single one, run under.
pub(crate) struct Frame {
    pub(crate) context: Context,
    timeout: Duration,
    span: tracing::Span,
}

impl Frame {
    /// The circumstances of an attempt at `item`, or at the batch that it is the first of.
    pub(crate) fn new(options: &ConsumerOptions, item: &Item, stop: &CancellationToken) -> Self {
        let (event, attempt) = (Arc::clone(&item.event), item.attempt());
        let context = Context::new(options.name, event, attempt, stop.clone());
        let span = tracing::info_span!(
            "outbox.deliver",
            consumer = options.name,
            event = %item.event.name,
            id = %item.event.id,
            position = item.event.position,
            attempt,
        );
        Self { context, timeout: options.timeout, span }
    }

    /// Runs the handler: catches its panic, ends it at its timeout, and lets what it emits carry
    /// the cause. What the handler left running hears when the attempt ends before it has, also
    /// when this future is dropped because the lease is lost.
    pub(crate) async fn run<T>(self, handler: impl Future<Output = T>) -> Result<T, Ended> {
        let guarded = AssertUnwindSafe(stamped(self.context.stamp(), handler)).catch_unwind();
        let unfinished = Unfinished(Some(self.context));
        match tokio::time::timeout(self.timeout, guarded.instrument(self.span)).await {
            Ok(Ok(value)) => {
                unfinished.disarm();
                Ok(value)
            }
            Ok(Err(panic)) => Err(Ended::Panicked(panic_message(&*panic))),
            Err(_elapsed) => Err(Ended::TimedOut(self.timeout)),
        }
    }
}

/// Cancels what an attempt left running, unless it is disarmed.
struct Unfinished(Option<Context>);

impl Unfinished {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(context) = &self.0 {
            context.cancel();
        }
    }
}

pub(crate) fn attempted(item: &Item) -> Attempted {
    Attempted { event: Arc::clone(&item.event), attempt: item.attempt() }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|message| (*message).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "with a value that is not text".to_owned())
}
