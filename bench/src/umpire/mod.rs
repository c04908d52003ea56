//! The umpire: makes databases, starts contestants, holds the watch, and counts what was written.

mod process;
mod server;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use outbox_contest::Monotonic;

pub(crate) use self::process::Process;
pub(crate) use self::server::{Database, Server, Template, Written};

/// The option of a task of which the contestant is to say how long its reads took.
pub(crate) const TIME_READS: &str = "--time-reads";

/// A contestant, as the umpire knows it.
#[derive(Debug, Clone)]
pub(crate) struct Contestant {
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    /// What stands before the task in the arguments of the program.
    pub(crate) arguments: Vec<String>,
}

impl Contestant {
    /// One of this program's own.
    pub(crate) fn own(name: &str) -> Result<Self> {
        let program = std::env::current_exe()?;
        let arguments = vec!["contest".to_owned(), name.to_owned()];
        Ok(Self { name: name.to_owned(), program, arguments })
    }

    /// Starts it on a task.
    pub(crate) fn start(&self, setup: &Setup, task: &[&str]) -> Result<Process> {
        let mut arguments = self.arguments.clone();
        arguments.extend(setup.arguments());
        arguments.extend(task.iter().map(|argument| (*argument).to_owned()));
        Process::start(&self.program, &arguments).with_context(|| format!("contestant {self:?}"))
    }

    /// Has it do a task with the watch in hand. It is asked to `--time-reads` or it is not.
    pub(crate) async fn timed(
        &self,
        database: &mut Database,
        setup: &Setup,
        task: &[&str],
    ) -> Result<Timed> {
        let mut process = self.start(setup, task)?;
        process.ready().await?;
        let before = database.written().await?;
        let began = Monotonic::now();
        process.go().await?;
        let done = process.done().await?;
        let took = Monotonic::now().since(began);
        let reads = match task.contains(&TIME_READS) {
            true => Some(process.reads().await?),
            false => None,
        };
        process.gone().await?;
        database.deserted().await?;
        let written = database.written().await? - before;
        Ok(Timed { done, began, took, written, reads })
    }

    /// Has it do a task that nobody watches.
    pub(crate) async fn do_task(&self, setup: &Setup, task: &[&str]) -> Result<Done> {
        self.start(setup, task)?.finish().await
    }
}

/// How a task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Done {
    /// So many were handled and recorded, or committed.
    pub(crate) count: u64,
    /// When the first was handled.
    pub(crate) first: Option<Monotonic>,
    pub(crate) peak_kib: u64,
}

/// A task that was timed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timed {
    pub(crate) done: Done,
    pub(crate) began: Monotonic,
    pub(crate) took: Duration,
    /// Meanwhile.
    pub(crate) written: Written,
    /// How long its reads took, if it was to say so: the median, and the 99th percentile.
    pub(crate) reads: Option<(Duration, Duration)>,
}

impl Timed {
    pub(crate) fn per_second(&self) -> f64 {
        self.done.count as f64 / self.took.as_secs_f64()
    }

    /// Something of the whole for each that was done.
    pub(crate) fn each(&self, of_all: f64) -> f64 {
        of_all / self.done.count.max(1) as f64
    }
}

/// The arguments that all tasks have in common.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) url: String,
    pub(crate) consumers: u32,
    pub(crate) kind: &'static str,
    pub(crate) shards: u32,
    pub(crate) concurrency: Option<u32>,
    pub(crate) connections: u32,
    pub(crate) poll_only: bool,
}

impl Setup {
    /// One plain consumer.
    pub(crate) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            consumers: 1,
            kind: "plain",
            shards: 1,
            concurrency: None,
            connections: 10,
            poll_only: false,
        }
    }

    fn arguments(&self) -> Vec<String> {
        let Self { url, consumers, kind, shards, concurrency, connections, poll_only } = self;
        let mut arguments = vec![
            format!("--url={url}"),
            format!("--consumers={consumers}"),
            format!("--kind={kind}"),
            format!("--shards={shards}"),
            format!("--connections={connections}"),
        ];
        arguments.extend(concurrency.map(|concurrency| format!("--concurrency={concurrency}")));
        arguments.extend(poll_only.then(|| "--poll-only".to_owned()));
        arguments
    }
}
