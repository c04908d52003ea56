//! How long the reads of this process take, as sqlx tells it of every statement when it ends.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, ensure};
use hdrhistogram::Histogram;
use outbox_contest::Said;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, registry};

/// What sqlx says of a statement is an event of this target.
const STATEMENTS: &str = "sqlx::query";

/// Whatever takes longer counts as this: a minute.
const LONGEST_NANOS: u64 = 60_000_000_000;

/// The statements that returned several rows: a page of what waits, and nothing else does. In nanoseconds,
/// from when it was sent to when its last row had come.
#[derive(Clone)]
pub(super) struct Reads(Arc<Mutex<Histogram<u64>>>);

impl Reads {
    /// Notes them from now on. Once in the life of a process.
    pub(super) fn watch() -> Result<Self> {
        let histogram = Histogram::new_with_max(LONGEST_NANOS, 3)?;
        let reads = Self(Arc::new(Mutex::new(histogram)));
        let statements = Targets::new().with_target(STATEMENTS, tracing::Level::DEBUG);
        registry().with(reads.clone().with_filter(statements)).try_init()?;
        Ok(reads)
    }

    /// What is to be said of them.
    pub(super) fn said(&self) -> Result<Said> {
        let histogram = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ensure!(!histogram.is_empty(), "nothing was read");
        let [p50, p99] = [0.5, 0.99].map(|quantile| histogram.value_at_quantile(quantile));
        Ok(Said::Reads { p50, p99 })
    }
}

impl<S: Subscriber> Layer<S> for Reads {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut statement = Statement::default();
        event.record(&mut statement);
        if statement.rows > 1 {
            let nanos = u64::try_from(statement.took.as_nanos()).unwrap_or(u64::MAX);
            self.0.lock().unwrap_or_else(PoisonError::into_inner).saturating_record(nanos);
        }
    }
}

/// What is told of one.
#[derive(Default)]
struct Statement {
    rows: u64,
    took: Duration,
}

impl Visit for Statement {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "rows_returned" {
            self.rows = value;
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.took = Duration::try_from_secs_f64(value).unwrap_or_default();
        }
    }

    fn record_debug(&mut self, _field: &Field, _value: &dyn std::fmt::Debug) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_returns_several_rows_is_a_read() {
        let histogram = Histogram::new_with_max(LONGEST_NANOS, 3).expect("bounds");
        let reads = Reads(Arc::new(Mutex::new(histogram)));
        let told = |rows_returned: u64, elapsed_secs: f64| {
            tracing::debug!(target: STATEMENTS, rows_returned, elapsed_secs);
        };
        tracing::subscriber::with_default(registry().with(reads.clone()), || {
            told(1, 5.0);
            told(500, 0.002);
            told(2, 0.002);
            told(0, 5.0);
        });
        let Said::Reads { p50, p99 } = reads.said().expect("reads") else {
            panic!("it says something else");
        };
        for quantile in [p50, p99] {
            assert!((1_990_000..=2_010_000).contains(&quantile), "{quantile}");
        }
    }
}
