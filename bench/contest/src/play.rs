//! What a contestant does with a task.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::clock::{Monotonic, Pace};
use crate::contestant::{Contestant, Unsupported};
use crate::handler::Handler;
use crate::marks::Marks;
use crate::order::Order;
use crate::said::Said;
use crate::task::{Action, Ends, Kind, Load, Setup, Task};

/// What was committed is delivered within this time, or counts as not delivered.
const PATIENCE: Duration = Duration::from_secs(2);
/// So many transactions each writer commits before they are counted: by then most connections to Postgres
/// have their statements prepared, and planned for good.
const FIRST: u32 = 8;
/// The same on SQLite, where writers that wait for one another take seconds for more.
const FIRST_ON_SQLITE: u32 = 1;
/// How often a contestant that serves says how much it has handled.
const REPORT_EVERY: Duration = Duration::from_millis(20);
/// How often it is asked whether everything was recorded: a fraction of what any run takes.
const ASK_EVERY: Duration = Duration::from_millis(5);

/// Does what the task says, and tells the umpire on standard output. The `main` of a contestant.
///
/// # Errors
///
/// Whatever the contestant returns, except what it does not support.
pub async fn play<C: Contestant>(task: Task) -> Result<()> {
    let Task { setup, action } = task;
    let told = match action {
        Action::Install => install::<C>(&setup).await,
        Action::Fill { events } => fill::<C>(&setup, events).await,
        Action::Drain { events, at_most, .. } => drain::<C>(&setup, events, at_most).await,
        Action::Emit { writers, events, lasting } => {
            emit::<C>(&setup, writers, events, lasting).await
        }
        Action::Deliver { ends, events, rate, marks } => {
            deliver::<C>(&setup, ends, events, rate, &marks).await
        }
        Action::Serve { load } => serve::<C>(&setup, load).await,
    };
    match told {
        Ok(Count { count, first }) => Said::Done { count, first, peak_kib: peak_kib()? }.say(),
        Err(error) => match error.downcast::<Unsupported>() {
            Ok(unsupported) => Said::Unsupported(unsupported.to_string()).say(),
            Err(error) => Err(error),
        },
    }
}

/// What a task came to.
struct Count {
    count: u64,
    first: Option<Monotonic>,
}

impl Count {
    fn of(handler: &Handler) -> Self {
        Self { count: handler.handled(), first: handler.first() }
    }
}

async fn install<C: Contestant>(setup: &Setup) -> Result<Count> {
    C::open(setup).await?.install().await?;
    Ok(Count { count: 0, first: None })
}

async fn fill<C: Contestant>(setup: &Setup, events: u64) -> Result<Count> {
    C::open(setup).await?.fill(0..events).await?;
    Ok(Count { count: events, first: None })
}

/// The most memory that this process ever had, as Linux says.
fn peak_kib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.context("no VmHWM in /proc/self/status")?;
    Ok(peak.trim().trim_end_matches(" kB").parse()?)
}

/// Says that it is ready, and waits until it may begin.
async fn ready() -> Result<()> {
    Said::Ready.say()?;
    let mut line = String::new();
    BufReader::new(tokio::io::stdin()).read_line(&mut line).await?;
    Ok(())
}

async fn drain<C: Contestant>(setup: &Setup, events: u64, at_most: Duration) -> Result<Count> {
    let contestant = Arc::new(C::open(setup).await?);
    let handler = Handler::new(setup.kind, Load::Nothing, expected(setup, events), None);
    ready().await?;
    let deadline = Instant::now() + at_most;
    let mut working = start(&contestant, &handler, &CancellationToken::new());
    let finished = async {
        handler.finished().await;
        while contestant.unrecorded().await? > 0 {
            tokio::time::sleep(ASK_EVERY).await;
        }
        anyhow::Ok(())
    };
    let finished = tokio::select! {
        ended = &mut working => return Err(early(ended)),
        finished = timeout_at(deadline, finished) => finished,
    };
    // What was left is handled, but not necessarily recorded: at most what is in flight.
    finished.unwrap_or(Ok(()))?;
    Ok(Count::of(&handler))
}

/// How many times handlers succeed.
fn expected(setup: &Setup, events: u64) -> u64 {
    let refused = match setup.kind {
        Kind::Ordered => (0..events).filter(|n| Order::is_poisoned(*n)).count() as u64,
        Kind::Plain | Kind::Projection => 0,
    };
    (events - refused) * u64::from(setup.consumers)
}

async fn emit<C: Contestant>(
    setup: &Setup,
    writers: u32,
    events: u32,
    lasting: Duration,
) -> Result<Count> {
    let writing = Writing {
        contestant: Arc::new(C::open(setup).await?),
        next: AtomicU64::new(0),
        events,
        committed: AtomicU64::new(0),
        stop: AtomicBool::new(false),
    };
    let writing = Arc::new(writing);
    // The connections are there when the watch starts, and it shows here what is not supported.
    let first = if setup.url.starts_with("sqlite:") { FIRST_ON_SQLITE } else { FIRST };
    ended(start_writers(&writing, writers, Some(first))).await?;
    ready().await?;
    let before = writing.committed.load(Ordering::Relaxed);
    let mut tasks = start_writers(&writing, writers, None);
    tokio::time::sleep(lasting).await;
    // Nobody ends before he is told to, unless he cannot go on.
    if let Some(failed) = tasks.try_join_next() {
        failed.context("a writer")??;
    }
    // They go on meanwhile. (Who waits for SQLite's lock may do so for seconds, and counts for nothing.)
    Said::Handled(writing.committed.load(Ordering::Relaxed) - before).say()?;
    writing.stop.store(true, Ordering::Relaxed);
    ended(tasks).await?;
    Ok(Count { count: writing.committed.load(Ordering::Relaxed) - before, first: None })
}

/// What the writers share.
struct Writing<C> {
    contestant: Arc<C>,
    /// The number of the next event.
    next: AtomicU64,
    /// So many in each transaction.
    events: u32,
    committed: AtomicU64,
    stop: AtomicBool,
}

/// Commits transactions, each writer so many, or until told to stop.
fn start_writers<C: Contestant>(
    writing: &Arc<Writing<C>>,
    writers: u32,
    each: Option<u32>,
) -> JoinSet<Result<()>> {
    let mut tasks = JoinSet::new();
    for _ in 0..writers {
        let writing = Arc::clone(writing);
        tasks.spawn(async move {
            let Writing { contestant, next, events, committed, stop } = &*writing;
            let mut left = each.unwrap_or(u32::MAX);
            while left > 0 && !stop.load(Ordering::Relaxed) {
                contestant.emit(take(next, *events)).await?;
                committed.fetch_add(1, Ordering::Relaxed);
                left -= 1;
            }
            Ok(())
        });
    }
    tasks
}

async fn ended(mut tasks: JoinSet<Result<()>>) -> Result<()> {
    while let Some(ended) = tasks.join_next().await {
        ended.context("a writer")??;
    }
    Ok(())
}

fn take(next: &AtomicU64, events: u32) -> Range<u64> {
    let first = next.fetch_add(u64::from(events), Ordering::Relaxed);
    first..first + u64::from(events)
}

async fn deliver<C: Contestant>(
    setup: &Setup,
    ends: Ends,
    events: u64,
    rate: f64,
    folder: &Path,
) -> Result<Count> {
    let contestant = Arc::new(C::open(setup).await?);
    let started = Arc::new(Marks::of(events));
    let committed = Arc::new(Marks::of(events));
    let expected = expected(setup, events);
    let handler = Handler::new(setup.kind, Load::Nothing, expected, Some(Arc::clone(&started)));
    let stop = CancellationToken::new();
    let working = (ends != Ends::Emitter).then(|| start(&contestant, &handler, &stop));
    ready().await?;
    let emitted = async {
        if ends != Ends::Worker {
            offer(&contestant, &committed, events, rate).await?;
        }
        anyhow::Ok(())
    };
    if let Some(mut working) = working {
        let mut rest = Vec::new();
        let mut input = tokio::io::stdin();
        let delivered = async {
            emitted.await?;
            if ends == Ends::Worker {
                // The umpire closes the input when the emitter has ended. An error is an end, too.
                let _ = input.read_to_end(&mut rest).await;
            }
            let _ = timeout(PATIENCE, handler.finished()).await;
            anyhow::Ok(())
        };
        tokio::select! {
            ended = &mut working => return Err(early(ended)),
            delivered = delivered => delivered?,
        }
        started.write(&folder.join("started"))?;
    } else {
        emitted.await?;
    }
    if ends != Ends::Worker {
        committed.write(&folder.join("committed"))?;
    }
    Ok(Count::of(&handler))
}

/// Emits at a steady rate whatever comes of it: each in a task of its own.
async fn offer<C: Contestant>(
    contestant: &Arc<C>,
    committed: &Arc<Marks>,
    events: u64,
    rate: f64,
) -> Result<()> {
    let mut tasks = JoinSet::new();
    let pace = Pace::starting_now(rate);
    for n in 0..events {
        pace.until(n).await;
        let (contestant, committed) = (Arc::clone(contestant), Arc::clone(committed));
        tasks.spawn(async move {
            contestant.emit(n..n + 1).await?;
            committed.set(n);
            anyhow::Ok(())
        });
        while let Some(done) = tasks.try_join_next() {
            done??;
        }
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

async fn serve<C: Contestant>(setup: &Setup, load: Load) -> Result<Count> {
    let contestant = Arc::new(C::open(setup).await?);
    let handler = Handler::new(setup.kind, load, u64::MAX, None);
    ready().await?;
    let stop = CancellationToken::new();
    let mut working = start(&contestant, &handler, &stop);
    let mut ends = tokio::io::stdin();
    let mut rest = Vec::new();
    let mut said = 0;
    let mut ticks = tokio::time::interval(REPORT_EVERY);
    let ended = async {
        // An error is an end, too.
        let _ = ends.read_to_end(&mut rest).await;
    };
    let reports = async {
        loop {
            ticks.tick().await;
            let handled = handler.handled();
            if handled > said {
                said = handled;
                Said::Handled(handled).say()?;
            }
        }
    };
    tokio::select! {
        ended = &mut working => return Err(early(ended)),
        reported = reports => return reported,
        () = ended => {}
    }
    stop.cancel();
    working.await??;
    Ok(Count::of(&handler))
}

/// A worker on a task of its own, as in an application.
fn start<C: Contestant>(
    contestant: &Arc<C>,
    handler: &Handler,
    stop: &CancellationToken,
) -> JoinHandle<Result<()>> {
    let (contestant, handler, stop) = (Arc::clone(contestant), handler.clone(), stop.clone());
    tokio::spawn(async move { contestant.work(handler, stop).await })
}

/// Why a worker ended that nobody had told to.
fn early(ended: Result<Result<()>, JoinError>) -> Error {
    match ended {
        Ok(Err(error)) => error,
        Ok(Ok(())) => anyhow!("the worker ended by itself"),
        Err(error) => Error::new(error).context("the worker"),
    }
}
