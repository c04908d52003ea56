//! While the database fails: what the log says (one line when it begins, a reminder now and then,
//! one line when it is over; however many shards a worker has, and however often they try), and how
//! long each part of a worker leaves the database alone. Where one hears from it again, all try.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::backoff::Backoff;
use crate::error::{Error, ErrorKind};

/// Between two lines about failures.
const REMIND: Duration = Duration::from_secs(10);

/// Between two times that an answer ends everybody's pauses: of a database that answers one part of
/// a worker and fails another, now and then, nobody shall ask the more for that.
const RALLY: Duration = Duration::from_secs(1);

/// The failures of everything in a worker that talks to the database.
#[derive(Clone)]
pub(crate) struct Outage(Arc<Inner>);

struct Inner {
    /// Looks at each error before it is counted.
    look_at: Box<dyn Fn(&Error) + Send + Sync>,
    /// How many watches are failing.
    failing: AtomicU32,
    state: Mutex<State>,
    /// Told when something works again that had failed.
    answers: watch::Sender<()>,
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
    last_rally: Option<Instant>,
}

/// One that talks to the database, again and again.
pub(crate) struct Watch {
    outage: Outage,
    who: String,
    pauses: Pauses,
    failing: bool,
}

/// The pauses of one that tries again and again: longer after each failure.
pub(crate) struct Pauses {
    backoff: Backoff,
    answers: watch::Receiver<()>,
}

/// For how long something that failed is not tried again: for some time, or until another part of
/// the worker hears from the database.
pub(crate) struct Pause {
    until: Instant,
    answers: watch::Receiver<()>,
}

impl Outage {
    pub(crate) fn new(look_at: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        let (failing, state) = (AtomicU32::new(0), Mutex::default());
        let (answers, _) = watch::channel(());
        Self(Arc::new(Inner { look_at: Box::new(look_at), failing, state, answers }))
    }

    pub(crate) fn pauses(&self) -> Pauses {
        Pauses { backoff: Backoff::default(), answers: self.0.answers.subscribe() }
    }

    /// Something works again that had failed: whoever waits for a pause to end tries now.
    pub(crate) fn rally(&self) {
        let mut state = self.state();
        let now = Instant::now();
        if state.last_rally.is_none_or(|last| now.duration_since(last) >= RALLY) {
            state.last_rally = Some(now);
            self.0.answers.send_replace(());
        }
    }

    pub(crate) fn watch(&self, who: impl Into<String>) -> Watch {
        let (outage, pauses) = (self.clone(), self.pauses());
        Watch { outage, who: who.into(), pauses, failing: false }
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
    /// It failed, and is to be tried again after the pause.
    pub(crate) fn failed(&mut self, error: &Error) -> Pause {
        let pause = self.pauses.next();
        if !std::mem::replace(&mut self.failing, true) {
            self.outage.0.failing.fetch_add(1, Ordering::Relaxed);
        }
        self.outage.failed(&self.who, error, Some(pause.lasts()));
        pause
    }

    /// Something else failed that was asked before the pause began.
    pub(crate) fn failed_as_well(&self, error: &Error, pause: &Pause) {
        self.outage.failed(&self.who, error, Some(pause.lasts()));
    }

    pub(crate) fn succeeded(&mut self) {
        self.pauses.reset();
        if self.failing {
            self.outage.rally();
        }
        self.recovered();
    }

    /// The database answers, but what failed may fail again: the next pause is no shorter.
    pub(crate) fn recovered(&mut self) {
        if std::mem::take(&mut self.failing) {
            self.outage.over();
        }
    }
}

impl Pauses {
    /// After a failure. Where others have heard from the database since the last one, it was not of
    /// the same outage, or the last of it: the pauses begin anew.
    pub(crate) fn next(&mut self) -> Pause {
        if self.answers.has_changed().unwrap_or(false) {
            self.reset();
        }
        let until = Instant::now() + self.backoff.next_pause();
        Pause { until, answers: self.answers.clone() }
    }

    pub(crate) fn reset(&mut self) {
        self.answers.mark_unchanged();
        self.backoff.reset();
    }
}

impl Pause {
    pub(crate) fn until(&self) -> Instant {
        self.until
    }

    pub(crate) fn lasts(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    pub(crate) fn is_over(&self) -> bool {
        self.until <= Instant::now() || self.answers.has_changed().unwrap_or(false)
    }

    /// Waits for its end. May be dropped and called again.
    pub(crate) async fn over(&mut self) {
        tokio::select! {
            () = tokio::time::sleep_until(self.until) => {}
            Ok(()) = self.answers.changed() => self.until = Instant::now(),
        }
    }
}

/// Waits for the end of a pause, where there is one.
pub(crate) async fn over(pause: &mut Option<Pause>) {
    match pause {
        Some(pause) => pause.over().await,
        None => std::future::pending().await,
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
    async fn an_answer_to_one_ends_the_pauses_of_all() {
        let outage = Outage::new(|_| {});
        let mut first = outage.watch("shard 0");
        let mut second = outage.watch("shard 1");
        let mut pause = None;
        for _ in 0..10 {
            first.failed(&refused());
            pause = Some(second.failed(&refused()));
        }
        let mut pause = pause.unwrap();
        assert!(pause.lasts() >= Duration::from_secs(1) && !pause.is_over());
        first.succeeded();
        assert!(pause.is_over());
        let asked = Instant::now();
        pause.over().await;
        assert_eq!(asked.elapsed(), Duration::ZERO);
        assert!(pause.is_over());
        // What it fails with now may still be of the outage.
        assert!(second.failed(&refused()).lasts() <= Duration::from_millis(50));
        assert!(second.failed(&refused()).lasts() > Duration::from_millis(49));
    }

    /// A shard that works and one that does not, with one that works now and then.
    #[tokio::test(start_paused = true)]
    async fn what_works_now_and_then_does_not_make_the_others_ask_much_more() {
        let outage = Outage::new(|_| {});
        let mut flapping = outage.watch("shard 0");
        let mut failing = outage.watch("shard 1");
        let mut pause = failing.failed(&refused());
        let mut tries = 0;
        for _ in 0..6_000 {
            flapping.failed(&refused());
            flapping.succeeded();
            if pause.is_over() {
                tries += 1;
                pause = failing.failed(&refused());
            }
            tokio::time::advance(Duration::from_millis(10)).await;
        }
        // In a minute: once more after each rally, and with the short pauses that follow.
        assert!((60..=60 * 7).contains(&tries), "{tries}");
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
