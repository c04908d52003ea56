//! What the log says while the database fails: one line when it begins, a reminder now and then,
//! one line when it is over; however many shards a worker has, and however often they try.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::backoff::Backoff;
use crate::error::{Error, ErrorKind};

/// Between two lines about failures.
const REMIND: Duration = Duration::from_secs(10);

/// The failures of everything in a worker that talks to the database.
#[derive(Clone)]
pub(crate) struct Outage(Arc<Inner>);

struct Inner {
    /// Looks at each error before it is counted.
    look_at: Box<dyn Fn(&Error) + Send + Sync>,
    /// How many watches are failing.
    failing: AtomicU32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    since: Option<Instant>,
    /// Since it began, and since the last line.
    failures: u64,
    untold: u64,
    last_line: Option<Instant>,
    /// Whether anybody was told of this outage, and so wants to hear of its end.
    told: bool,
}

/// One that talks to the database, again and again.
pub(crate) struct Watch {
    outage: Outage,
    who: String,
    backoff: Backoff,
    failing: bool,
}

impl Outage {
    pub(crate) fn new(look_at: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        let (failing, state) = (AtomicU32::new(0), Mutex::default());
        Self(Arc::new(Inner { look_at: Box::new(look_at), failing, state }))
    }

    pub(crate) fn watch(&self, who: impl Into<String>) -> Watch {
        let (outage, backoff) = (self.clone(), Backoff::default());
        Watch { outage, who: who.into(), backoff, failing: false }
    }

    /// Something failed and will not be tried again.
    pub(crate) fn note(&self, who: &str, error: &Error) {
        self.failed(who, error, None);
    }

    fn failed(&self, who: &str, error: &Error, retry_in: Option<Duration>) {
        (self.0.look_at)(error);
        let mut state = self.state();
        let now = Instant::now();
        if retry_in.is_some() {
            state.since.get_or_insert(now);
        }
        state.failures += 1;
        state.untold += 1;
        let quiet = state.last_line.is_some_and(|line| now.duration_since(line) < REMIND);
        if quiet || error.kind() == ErrorKind::Closed {
            tracing::debug!(who, %error, ?retry_in, "the database failed");
            return;
        }
        let failing = self.0.failing.load(Ordering::Relaxed);
        let failures = std::mem::take(&mut state.untold);
        let lasts = state.since.map(|since| now.duration_since(since));
        state.last_line = Some(now);
        state.told |= retry_in.is_some();
        tracing::warn!(
            who, %error, ?retry_in, failures, failing, ?lasts,
            "the database failed; told at most every {REMIND:?}"
        );
    }

    fn over(&self) {
        if self.0.failing.fetch_sub(1, Ordering::Relaxed) > 1 {
            return;
        }
        let mut state = self.state();
        let lasted = state.since.take().map(|since| since.elapsed());
        let failures = std::mem::take(&mut state.failures);
        if std::mem::take(&mut state.told) {
            state.untold = 0;
            tracing::info!(?lasted, failures, "the database works again");
        } else {
            tracing::debug!(?lasted, failures, "the database works again");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    /// It failed; returns when to try again.
    pub(crate) fn failed(&mut self, error: &Error) -> Duration {
        let pause = self.backoff.next_pause();
        if !std::mem::replace(&mut self.failing, true) {
            self.outage.0.failing.fetch_add(1, Ordering::Relaxed);
        }
        self.outage.failed(&self.who, error, Some(pause));
        pause
    }

    pub(crate) fn succeeded(&mut self) {
        self.backoff.reset();
        self.recovered();
    }

    /// The database answers, but what failed may fail again: the next pause is no shorter.
    pub(crate) fn recovered(&mut self) {
        if std::mem::take(&mut self.failing) {
            self.outage.over();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.recovered();
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    /// What was logged at info and above.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(text);
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Lines {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    impl Lines {
        fn capture(&self) -> tracing::subscriber::DefaultGuard {
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(tracing::Level::INFO)
                .with_ansi(false)
                .without_time()
                .with_writer(self.clone())
                .finish();
            tracing::subscriber::set_default(subscriber)
        }

        fn take(&self) -> Vec<String> {
            let text = std::mem::take(&mut *self.0.lock().unwrap());
            String::from_utf8(text).unwrap().lines().map(str::to_owned).collect()
        }
    }

    fn refused() -> Error {
        Error::database("read the log", sqlx::Error::Io(io::ErrorKind::ConnectionRefused.into()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_hundred_failing_shards_are_one_line_every_ten_seconds() {
        let lines = Lines::default();
        let _guard = lines.capture();
        let outage = Outage::new(|_| {});
        let mut watches: Vec<Watch> =
            (0..100).map(|n| outage.watch(format!("shard {n}"))).collect();
        for _ in 0..60 {
            for watch in &mut watches {
                watch.failed(&refused());
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let told = lines.take();
        assert_eq!(told.len(), 6, "{told:#?}");
        assert!(told[0].contains("WARN") && told[0].contains("read the log"), "{}", told[0]);
        assert!(told[0].contains("shard 0") && told[0].contains("retry_in"), "{}", told[0]);
        assert!(
            told[5].contains("failures=1000") && told[5].contains("failing=100"),
            "{}",
            told[5]
        );

        for (index, watch) in watches.iter_mut().enumerate() {
            assert_eq!(lines.take(), Vec::<String>::new(), "before number {index} recovered");
            watch.succeeded();
        }
        let told = lines.take();
        assert_eq!(told.len(), 1);
        assert!(told[0].contains("INFO") && told[0].contains("failures=6000"), "{}", told[0]);
        assert!(told[0].contains("lasted=Some(60"), "{}", told[0]);
    }

    #[tokio::test(start_paused = true)]
    async fn failures_that_come_and_go_are_told_as_rarely() {
        let lines = Lines::default();
        let _guard = lines.capture();
        let outage = Outage::new(|_| {});
        let mut watch = outage.watch("shard 0");
        for _ in 0..600 {
            watch.failed(&refused());
            tokio::time::advance(Duration::from_millis(100)).await;
            watch.succeeded();
        }
        let told = lines.take();
        // The end of what was told of is told as well.
        assert_eq!(told.len(), 12, "{told:#?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_does_not_keep_the_outage_open() {
        let lines = Lines::default();
        let _guard = lines.capture();
        let outage = Outage::new(|_| {});
        let mut watch = outage.watch("shard 0");
        watch.failed(&refused());
        drop(watch);
        outage.note("hand leases back", &refused());
        assert_eq!(lines.take().len(), 2);
    }
}
