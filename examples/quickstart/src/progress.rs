//! Live figures: one line that changes on a terminal, a line now and then elsewhere.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use outbox_runtime::{Change, Notice, RegistryInfo};
use serde::Serialize;

use crate::ingest::Ingested;
use crate::webhook::Files;

/// What a consumer did in this run.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Counts {
    /// Events handled.
    pub(crate) delivered: u64,
    /// Events that the consumer does not want, or had nothing to do for.
    pub(crate) skipped: u64,
    /// Attempts that failed and were tried again.
    pub(crate) retried: u64,
    /// Events put off until later.
    pub(crate) delayed: u64,
    /// Events given up.
    pub(crate) dead: u64,
}

/// The figures of this run. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Progress(Arc<Mutex<Figures>>);

#[derive(Debug)]
struct Figures {
    files: usize,
    ingested: u64,
    to_go: Option<u64>,
    consumers: BTreeMap<&'static str, Counts>,
    started: Instant,
    printed: Option<Instant>,
    in_place: bool,
    last_line: String,
}

impl Progress {
    pub(crate) fn start(database: &str, files: &Files, registry: &RegistryInfo) -> Self {
        eprintln!("Receiving what is in {}: {} files", files.name(), files.len());
        eprintln!("{} consumers on {database}", registry.consumers.len());
        let names = registry.consumers.iter().map(|consumer| consumer.options.name);
        Self(Arc::new(Mutex::new(Figures {
            files: files.len(),
            ingested: 0,
            to_go: None,
            consumers: names.map(|name| (name, Counts::default())).collect(),
            started: Instant::now(),
            printed: Some(Instant::now()),
            in_place: std::io::stderr().is_terminal(),
            last_line: String::new(),
        })))
    }

    /// Takes note of files that were ingested.
    pub(crate) fn ingested(&self, ingested: &Ingested) {
        let mut figures = self.figures();
        figures.ingested = ingested.found;
        figures.print_now_and_then();
    }

    /// Takes note of what the worker says became of a delivery.
    pub(crate) fn changed(&self, notice: &Notice) {
        let mut figures = self.figures();
        let counts = figures.consumers.entry(notice.consumer).or_default();
        match notice.change {
            Change::Delivered => counts.delivered += 1,
            Change::Skipped => counts.skipped += 1,
            Change::Retrying(..) => counts.retried += 1,
            Change::Delayed | Change::Snoozed(_) => counts.delayed += 1,
            Change::Dead(_) => counts.dead += 1,
            // Behind another delivery, or for a newer version of this program.
            _ => {}
        }
        figures.print_now_and_then();
    }

    /// Takes note of how many deliveries are left.
    pub(crate) fn to_go(&self, deliveries: u64) {
        let mut figures = self.figures();
        figures.to_go = Some(deliveries);
        figures.print_now_and_then();
    }

    /// The end of the run.
    pub(crate) fn finish(&self) -> BTreeMap<&'static str, Counts> {
        let mut figures = self.figures();
        figures.to_go = None;
        figures.print();
        if figures.in_place {
            eprintln!();
        }
        figures.consumers.clone()
    }

    fn figures(&self) -> MutexGuard<'_, Figures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Figures {
    fn print_now_and_then(&mut self) {
        let pause = Duration::from_millis(if self.in_place { 50 } else { 500 });
        if self.printed.is_none_or(|printed| printed.elapsed() >= pause) {
            self.print();
        }
    }

    fn print(&mut self) {
        self.printed = Some(Instant::now());
        let sum = |of: fn(&Counts) -> u64| -> u64 { self.consumers.values().map(of).sum() };
        let mut line = format!(
            "{} of {} files, {} delivered, {} retried, {} dead",
            self.ingested,
            self.files,
            sum(|counts| counts.delivered),
            sum(|counts| counts.retried),
            sum(|counts| counts.dead),
        );
        if let Some(to_go) = self.to_go {
            line += &format!(", {to_go} to go");
        }
        if line == self.last_line {
            return;
        }
        let seconds = self.started.elapsed().as_secs_f64();
        let mut stderr = std::io::stderr().lock();
        // Whether anybody reads this does not matter to the webhooks.
        let _ = match self.in_place {
            true => write!(stderr, "\r\x1b[2K{seconds:6.1} s  {line}"),
            false => writeln!(stderr, "{seconds:6.1} s  {line}"),
        };
        let _ = stderr.flush();
        self.last_line = line;
    }
}
