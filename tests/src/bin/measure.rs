//! Figures that `cargo xtask measure` prints: how a large backlog drains, and what more workers
//! bring. Ratios within one run, since machines differ; the workers are processes of their own.
//!
//! `measure backlog EVENTS`, `measure workers EVENTS`, and, for itself, `measure work URL OPTIONS`.

use std::fmt;
use std::io::Read;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use outbox_runtime::testing::TestDatabase;
use outbox_runtime::{
    ConsumerError, Delivery, Outbox, Postgres, State, Worker, consumer, registry,
};
use outbox_tests::{Db, Ping, wait};
use sqlx::postgres::PgPoolOptions;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio_util::sync::CancellationToken;

/// What the handlers of a worker share.
#[derive(Clone)]
struct Tape {
    wait: Duration,
    handled: Arc<AtomicU64>,
}

/// Says so after so many events.
const REPORT_EVERY: u64 = 1_000;

#[consumer(name = "one-shard", start = beginning, ordered)]
async fn one_shard(_ping: Delivery<Ping>, State(tape): State<Tape>) -> Result<(), ConsumerError> {
    tape.handle().await;
    Ok(())
}

#[consumer(name = "eight-shards", start = beginning, shards = 8)]
async fn eight_shards(
    _ping: Delivery<Ping>,
    State(tape): State<Tape>,
) -> Result<(), ConsumerError> {
    tape.handle().await;
    Ok(())
}

impl Tape {
    async fn handle(&self) {
        if !self.wait.is_zero() {
            tokio::time::sleep(self.wait).await;
        }
        let handled = self.handled.fetch_add(1, Ordering::Relaxed) + 1;
        if handled.is_multiple_of(REPORT_EVERY) {
            println!("{handled}");
        }
    }
}

registry! {
    /// Drains a backlog.
    struct Drains;
    state: Tape,
    events: [Ping],
    consumers: [one_shard],
}

registry! {
    /// Shares work out.
    struct Shares;
    state: Tape,
    events: [Ping],
    consumers: [eight_shards],
}

registry! {
    /// Only emits.
    struct Emits;
    events: [Ping],
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["backlog", events] => backlog(events.parse()?).await,
        ["workers", events] => workers(events.parse()?).await,
        ["work", url, "drain"] => work::<Drains>(url, Duration::ZERO, None).await,
        ["work", url, "share"] => work::<Shares>(url, Duration::from_millis(5), Some(16)).await,
        _ => bail!("measure backlog EVENTS | workers EVENTS"),
    }
}

/// So often a backlog is drained, without and with a transaction held open in turn: one tenth of one
/// drain scatters by 10 to 20% on a shared machine, which is more than what is asked for.
const DRAINS: usize = 5;

/// A backlog of so many events is drained by one worker: is the last tenth as fast as the first, and
/// does memory stay bounded? With and without a transaction that is open all the time.
///
/// The server's `shared_buffers` are to hold all of it: where they do not, the end of the log is read
/// faster than the beginning, since it is still there from when it was written.
async fn backlog(events: u64) -> Result<()> {
    println!("backlog of {events} events, one consumer (ordered, one shard), {DRAINS} drains each");
    println!(
        "transaction held open | events/s: the first twentieth; the rest: each tenth (of the first, its \
         second half) | peak RSS, MiB"
    );
    let mut drains = [Vec::new(), Vec::new()];
    for _ in 0..DRAINS {
        for held in [false, true] {
            let drain = Drain::of(events, held).await?;
            println!("{held:21} | {drain}");
            drains[usize::from(held)].push(drain);
        }
    }
    println!("medians:");
    for (held, drains) in [false, true].into_iter().zip(&drains) {
        let median = Drain::median(drains);
        let ratio = median.tenths[9] / median.tenths[0];
        println!("{held:21} | {median} | last tenth {ratio:.2} times the first");
    }
    Ok(())
}

/// How one backlog drained.
struct Drain {
    /// Events per second, of the first twentieth and of the rest.
    beginning: f64,
    rate: f64,
    /// Of each tenth; of the first, without that twentieth.
    tenths: [f64; 10],
    peak_mib: u64,
}

impl Drain {
    async fn of(events: u64, held: bool) -> Result<Self> {
        let database = TestDatabase::<Postgres>::create().await?;
        let outbox = Outbox::<Emits, Postgres>::new(database.pool().clone());
        outbox.migrate().await?;
        fill(&outbox, events).await?;
        // Without this the first tenths share the disk with the writing of what has just been emitted.
        for settle in ["vacuum (analyze) outbox.event", "checkpoint"] {
            Postgres::execute(outbox.pool(), settle).await?;
        }
        let mut open = outbox.begin().await?;
        if held {
            outbox.emit(&mut open, Ping::new(events)).await?;
        }
        let mut worker = Process::start(database.url(), "drain")?;
        worker.until(REPORT_EVERY).await?;
        let first = Instant::now();
        let mut reached = Vec::new();
        for tenth in 0..=10 {
            // The first mark is after a twentieth: in its first half second a worker connects, claims its
            // shard, has its statements planned, and its server reads the table for the first time. (Of
            // 1,000,000 events the first hundredths took two to three times as long as any later one.)
            let count = (events * tenth / 10).max(events / 20).max(REPORT_EVERY);
            worker.until(count).await?;
            reached.push((count, Instant::now()));
        }
        let rate = |from: usize, to: usize| {
            let [(before, began), (after, ended)] = [reached[from], reached[to]];
            (after - before) as f64 / (ended - began).as_secs_f64()
        };
        let (twentieth, at) = reached[0];
        let drain = Self {
            beginning: (twentieth - REPORT_EVERY) as f64 / (at - first).as_secs_f64(),
            rate: rate(0, 10),
            tenths: std::array::from_fn(|tenth| rate(tenth, tenth + 1)),
            peak_mib: worker.peak_kib()? / 1024,
        };
        open.rollback().await?;
        worker.stop().await?;
        Ok(drain)
    }

    /// Each figure's median over the drains, and the most memory of any.
    fn median(drains: &[Self]) -> Self {
        let median = |figure: &dyn Fn(&Self) -> f64| {
            let mut figures: Vec<f64> = drains.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        };
        Self {
            beginning: median(&|drain| drain.beginning),
            rate: median(&|drain| drain.rate),
            tenths: std::array::from_fn(|tenth| median(&|drain| drain.tenths[tenth])),
            peak_mib: drains.iter().map(|drain| drain.peak_mib).max().unwrap_or(0),
        }
    }
}

impl fmt::Display for Drain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.tenths.map(|rate| format!("{rate:.0}")).join(" ");
        write!(f, "{:.0}; {:.0}: {tenths} | {}", self.beginning, self.rate, self.peak_mib)
    }
}

/// One worker and four, each with 16 handlers at once that wait 5 ms, on 8 shards.
async fn workers(events: u64) -> Result<()> {
    println!("{events} events, 8 shards, handlers that wait 5 ms, 16 at once in each worker");
    let mut rates = Vec::new();
    for count in [1_u32, 4] {
        let database = TestDatabase::<Postgres>::create().await?;
        let outbox = Outbox::<Emits, Postgres>::new(database.pool().clone());
        outbox.migrate().await?;
        let mut fleet = (0..count)
            .map(|_| Process::start(database.url(), "share"))
            .collect::<Result<Vec<_>>>()?;
        // They have shared the shards out before there is anything to do.
        wait::until("the shards to be shared out", || async {
            let shards = outbox.shards(None).await.unwrap_or_default();
            let mut having: Vec<_> = shards.iter().filter_map(|shard| shard.worker).collect();
            having.sort_unstable();
            let even = having.chunk_by(|a, b| a == b).all(|own| own.len() as u32 == 8 / count);
            having.len() == 8 && even
        })
        .await;
        let began = Instant::now();
        fill(&outbox, events).await?;
        wait::until("everything to be handled", || async {
            let stats = outbox.stats().await.expect("stats");
            stats.iter().map(|one| one.handled).sum::<u64>() >= events
        })
        .await;
        let rate = events as f64 / began.elapsed().as_secs_f64();
        println!("{count} workers: {rate:.0} events/s");
        rates.push(rate);
        for process in &mut fleet {
            process.stop().await?;
        }
    }
    println!("four workers bring {:.2} times what one does", rates[1] / rates[0]);
    Ok(())
}

async fn fill(outbox: &Outbox<Emits, Postgres>, events: u64) -> Result<()> {
    let mut next = 0;
    while next < events {
        let chunk = next..(next + 10_000).min(events);
        next = chunk.end;
        let mut tx = outbox.begin().await?;
        let pings = chunk.map(|n| Ping::keyed(&format!("key-{}", n % 1_000), n));
        outbox.emit_all(&mut tx, pings).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// What a worker process does until its input is closed.
async fn work<R>(url: &str, wait: Duration, concurrency: Option<u32>) -> Result<()>
where
    R: outbox_runtime::Consumers<Postgres, State = Tape>,
{
    let pool = PgPoolOptions::new().max_connections(20).connect(url).await?;
    let tape = Tape { wait, handled: Arc::default() };
    let mut worker = Worker::new(Outbox::<R, Postgres>::new(pool), tape);
    if let Some(concurrency) = concurrency {
        worker = worker.concurrency(concurrency);
    }
    let stop = CancellationToken::new();
    let told = stop.clone();
    std::thread::spawn(move || {
        // Any end of the input will do.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        told.cancel();
    });
    worker.run_until(stop.cancelled_owned()).await?;
    Ok(())
}

/// A worker in a process of its own.
struct Process {
    child: Child,
    reports: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(url: &str, kind: &str) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["work", url, kind])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let reports = child.stdout.take().context("its output")?;
        Ok(Self { child, reports: BufReader::new(reports).lines() })
    }

    /// Waits until it says that it has handled so many events.
    async fn until(&mut self, count: u64) -> Result<()> {
        loop {
            let line = self.reports.next_line().await?.context("the worker ended")?;
            if line.parse::<u64>()? >= count {
                return Ok(());
            }
        }
    }

    /// The most memory that it ever had, in KiB.
    fn peak_kib(&self) -> Result<u64> {
        let id = self.child.id().context("a process")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.context("VmHWM in /proc")?.trim().trim_end_matches(" kB");
        Ok(peak.parse()?)
    }

    async fn stop(&mut self) -> Result<()> {
        drop(self.child.stdin.take());
        let status = self.child.wait().await?;
        anyhow::ensure!(status.success(), "a worker ended with {status}");
        Ok(())
    }
}
