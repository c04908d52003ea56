//! Consumers that start and stop, and what became of what was committed.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::emitters::{Committed, NAME, Step};
use super::{Pages, Round};
use crate::bell::Bell;
use crate::consumer::{
    Bound, ConsumerDef, ConsumerError, ConsumerOptions, Context, Delivery, HandleEach, Outcome,
    Start,
};
use crate::error::ErrorKind;
use crate::event::Event;
use crate::store::Store;
use crate::store::postgres::PostgresStore;
use crate::worker::{WorkerOptions, run_consumers};

/// How long nothing may arrive before what is missing counts as lost.
const DEADLINE: Duration = Duration::from_secs(120);

#[derive(Serialize, Deserialize, JsonSchema)]
struct Number(i64);

impl Event for Number {
    const NAME: &'static str = NAME;
    const VERSION: u32 = 1;
}

type Received = Arc<Mutex<Vec<(Step, Instant)>>>;

struct Ordered<const PAGE: u32>;

impl<const PAGE: u32> Ordered<PAGE> {
    const CONSUMER: &'static str = match PAGE {
        1 => "page-1",
        5 => "page-5",
        50 => "page-50",
        _ => "page-1000",
    };
}

impl<const PAGE: u32> ConsumerDef for Ordered<PAGE> {
    type Event = Number;
    const OPTIONS: ConsumerOptions =
        ConsumerOptions::new(Self::CONSUMER).ordered().start(Start::Beginning);
}

impl<const PAGE: u32> HandleEach<Received> for Ordered<PAGE> {
    async fn handle(
        delivery: Delivery<Number>,
        received: &Received,
        _context: Context,
    ) -> Result<Outcome, ConsumerError> {
        let key = delivery.key().and_then(|key| key.parse().ok()).unwrap_or(-1);
        let step = Step { key, number: delivery.0 };
        received.lock().expect("not poisoned").push((step, Instant::now()));
        Ok(().into())
    }
}

/// One worker for each page size; each is stopped and started again at random moments.
pub(super) struct Consumers {
    received: Vec<Received>,
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Consumers {
    pub(super) fn start(store: PostgresStore, round: Round) -> Self {
        let mut consumers =
            Self { received: Vec::new(), tasks: JoinSet::new(), stop: CancellationToken::new() };
        match round.pages {
            Pages::Small => {
                consumers.add::<1>(&store, round);
                consumers.add::<5>(&store, round);
            }
            Pages::Large => {
                consumers.add::<50>(&store, round);
                consumers.add::<1000>(&store, round);
            }
        }
        consumers
    }

    fn add<const PAGE: u32>(&mut self, store: &PostgresStore, round: Round) {
        let received = Received::default();
        self.received.push(Arc::clone(&received));
        let (store, stop) = (store.clone(), self.stop.clone());
        let mut random = fastrand::Rng::with_seed(round.seed ^ u64::from(PAGE));
        self.tasks.spawn(async move {
            while !stop.is_cancelled() {
                let bound =
                    Bound::each::<Ordered<PAGE>, Received>(&Arc::new(Arc::clone(&received)));
                let running = Duration::from_millis(random.u64(100..3000));
                let mut options = WorkerOptions { page_size: PAGE, ..WorkerOptions::default() };
                if round.retained_briefly {
                    options.retain = Some(Duration::ZERO);
                }
                let end = stop.child_token();
                let timer = end.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(running).await;
                    timer.cancel();
                });
                let ran = run_consumers(store.clone(), Bell::default(), options, vec![bound], end);
                match ran.await {
                    Ok(_) => {}
                    // Emitters may hold all connections for as long as it waits for one. It is
                    // started again, as by whoever keeps services alive.
                    Err(error) if error.kind() == ErrorKind::Unavailable => {}
                    Err(error) => panic!("the worker starts: {error:?}"),
                }
            }
        });
    }

    /// Resolves when all are known: what nobody knows of, retention does not keep for them.
    pub(super) async fn registered(&self, store: &PostgresStore) {
        let count = "select count(*) from outbox.consumer";
        let mut known = 0;
        while known < self.received.len() as i64 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            known = sqlx::query_scalar(count).fetch_one(store.pool()).await.expect("counted");
        }
    }

    /// Waits until everything has arrived, or for good; then judges. A reader that `is_clean` is only
    /// slow, on a machine that is busy; a broken one may never deliver the rest.
    pub(super) async fn finish(mut self, emitted: Committed, is_clean: bool) -> Verdict {
        let patience = if is_clean { DEADLINE } else { Duration::from_secs(10) };
        let mut last = (Instant::now(), 0);
        loop {
            let counts: Vec<usize> = self
                .received
                .iter()
                .map(|received| received.lock().expect("not poisoned").len())
                .collect();
            let sum = counts.iter().sum();
            if sum != last.1 {
                last = (Instant::now(), sum);
            }
            let all = counts.iter().all(|count| *count >= emitted.len());
            if all || last.0.elapsed() > patience {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.stop.cancel();
        while let Some(done) = self.tasks.join_next().await {
            done.expect("a worker does not panic");
        }
        let mut verdict = Verdict { committed: emitted.len(), ..Verdict::default() };
        for received in &self.received {
            verdict.judge(&emitted, &received.lock().expect("not poisoned"));
        }
        verdict
    }
}

/// What the consumers of all page sizes made of one schedule.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) committed: usize,
    lost: usize,
    repeated: usize,
    phantom: usize,
    inversions: usize,
    /// The longest time in which nothing was delivered although something had been committed.
    pub(super) longest_stall: Duration,
    /// Events that are still in the log.
    pub(super) left: i64,
}

impl Verdict {
    pub(super) const HEADING: &str =
        "committed | lost | repeated | phantom | inversions | left | longest stall";

    pub(super) fn is_clean(&self) -> bool {
        self.lost + self.repeated + self.phantom + self.inversions == 0 && self.committed > 0
    }

    fn judge(&mut self, emitted: &Committed, received: &[(Step, Instant)]) {
        let wanted: HashMap<Step, Instant> = emitted.iter().copied().collect();
        let mut got = HashSet::new();
        let mut last = HashMap::new();
        let mut previous = None;
        for (step, at) in received {
            if !got.insert(*step) {
                self.repeated += 1;
            }
            let number = last.insert(step.key, step.number).unwrap_or(0);
            self.inversions += usize::from(step.number != number + 1);
            match wanted.get(step) {
                None => self.phantom += 1,
                Some(committed) => {
                    let idle_since =
                        previous.map_or(*committed, |previous: Instant| previous.max(*committed));
                    let stall = at.saturating_duration_since(idle_since);
                    self.longest_stall = self.longest_stall.max(stall);
                }
            }
            previous = Some(*at);
        }
        self.lost += wanted.keys().filter(|step| !got.contains(step)).count();
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:9} | {:4} | {:8} | {:7} | {:10} | {:4} | {:?}",
            self.committed,
            self.lost,
            self.repeated,
            self.phantom,
            self.inversions,
            self.left,
            self.longest_stall
        )
    }
}
