//! Starting, killing and ending victims.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use outbox_runtime::testing::{TestBackend, TestDatabase};
use outbox_runtime::{Outbox, Result, registry};
use outbox_tests::{Ping, wait};
use tokio::process::{Child, ChildStdin, Command};

registry! {
    /// The events of the victims; their consumers are in another process.
    pub struct Emits;
    events: [Ping],
}

/// A database with events for victims to work on.
pub(crate) struct Scene<DB: TestBackend> {
    pub(crate) outbox: Outbox<Emits, DB>,
    pub(crate) database: TestDatabase<DB>,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

/// A delivery that a victim wrote down.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Line {
    pub(crate) key: String,
    pub(crate) n: u64,
}

impl<DB: TestBackend> Scene<DB>
where
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
{
    pub(crate) async fn new() -> Result<Self> {
        let database = TestDatabase::<DB>::create().await?;
        let outbox = Outbox::new(database.pool().clone());
        outbox.migrate().await?;
        let mut tx = outbox.begin().await?;
        let table = "create table projection \
                     (key text primary key, events bigint not null, total bigint not null)";
        sqlx::Executor::execute(&mut *tx, table).await.expect("a table");
        tx.commit().await?;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = folder.path().join("log");
        std::fs::write(&log, "").expect("an empty log");
        Ok(Self { outbox, database, log, _folder: folder })
    }

    pub(crate) async fn emit(&self, pings: Vec<Ping>) -> Result<()> {
        let mut tx = self.outbox.begin().await?;
        self.outbox.emit_all(&mut tx, pings).await?;
        tx.commit().await
    }

    pub(crate) fn spawn(&self) -> Victim {
        Victim::spawn(self.database.url(), &self.log)
    }

    pub(crate) fn lines(&self) -> Vec<Line> {
        let text = std::fs::read_to_string(&self.log).expect("the log");
        text.lines()
            .map(|line| {
                let (key, n) = line.split_once(' ').expect("a key and a number");
                Line { key: key.to_owned(), n: n.parse().expect("a number") }
            })
            .collect()
    }

    /// Waits until the log has this many lines, or everything is done.
    pub(crate) async fn until_lines(&self, count: usize, all: usize) {
        wait::until("the victim to work", || async {
            let lines = self.lines();
            lines.len() >= count || lines.into_iter().collect::<HashSet<_>>().len() >= all
        })
        .await;
    }

    /// Waits until no consumer has anything left to do.
    pub(crate) async fn until_done(&self) {
        wait::until("both consumers to be done", || async {
            let stats = self.outbox.stats().await.expect("stats");
            stats.len() == 2
                && stats.iter().all(|one| {
                    one.lag_events + one.retrying + one.parked + one.delayed + one.waiting == 0
                })
        })
        .await;
    }

    /// How many deliveries of a consumer have been recorded.
    pub(crate) async fn recorded(&self, consumer: &str) -> usize {
        let stats = self.outbox.stats().await.expect("stats");
        stats.iter().find(|one| one.consumer == consumer).map_or(0, |one| one.handled as usize)
    }
}

/// A process that runs the consumers.
pub(crate) struct Victim {
    child: Child,
    /// Held apart from the child, because waiting for a child closes its input.
    input: Option<ChildStdin>,
}

impl Victim {
    fn spawn(url: &str, log: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_victim"))
            .arg(url)
            .arg(log)
            .stdin(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the victim starts");
        let input = child.stdin.take();
        Self { child, input }
    }

    /// `kill -9`.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("killed");
    }

    /// Waits until it dies by itself.
    pub(crate) async fn died(&mut self) -> bool {
        let status = wait::for_signal("the victim to die", self.child.wait()).await;
        !status.expect("a status").success()
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) {
        drop(self.input.take());
        let status = wait::for_signal("the victim to stop", self.child.wait()).await;
        assert!(status.expect("a status").success(), "the victim stops gracefully");
    }
}
