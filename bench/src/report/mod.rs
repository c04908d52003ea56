//! What came of a contest, as JSON, as a page with tables, and as charts.

mod chart;
mod page;
mod targets;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::figures::Summary;
use crate::machine::Machine;
use crate::workloads::Workload;

/// Everything that came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    /// Of the peers.
    pub(crate) versions: Vec<(String, String)>,
    /// How often each case was run.
    pub(crate) rounds: u32,
    /// How long the whole took.
    pub(crate) seconds: u64,
    pub(crate) rows: Vec<Row>,
}

impl Report {
    /// With what came of the workloads that were run again since, on the same machine and against the same
    /// software.
    pub(crate) fn updated(mut self, newer: Self) -> Result<Self> {
        let is_alike = self.machine.is_like(&newer.machine)
            && (&self.versions, self.rounds) == (&newer.versions, newer.rounds);
        ensure!(is_alike, "another machine, other software or other rounds: run everything anew");
        self.rows.retain(|row| !newer.rows.iter().any(|other| row.is_beside(other)));
        self.rows.extend(newer.rows);
        // Stable: within a workload, as they were run.
        self.rows.sort_by_key(|row| (row.database != "Postgres", row.workload));
        Ok(self)
    }
}

impl Row {
    fn is_beside(&self, other: &Self) -> bool {
        (&self.database, self.workload) == (&other.database, other.workload)
    }
}

/// What came of one case for one contestant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) database: String,
    pub(crate) workload: Workload,
    pub(crate) case: String,
    pub(crate) contestant: String,
    pub(crate) summary: Summary,
}

/// Where it goes.
#[derive(clap::Args)]
pub(crate) struct Place {
    /// The directory of the results, in `results.json`, and of the charts made of them.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The page for people, which shows the charts.
    #[arg(long, value_name = "FILE")]
    page: PathBuf,
}

impl Place {
    fn results(&self) -> PathBuf {
        self.out.join("results.json")
    }
}

/// Writes `results.json` and the charts into a directory, and the page that shows them.
pub(crate) fn write(report: &Report, place: &Place) -> Result<()> {
    let out = &place.out;
    fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    let json = serde_json::to_string_pretty(report)? + "\n";
    write_file(&place.results(), &json)?;
    write_page(report, place)
}

/// The charts and the page alone.
pub(crate) fn write_page(report: &Report, place: &Place) -> Result<()> {
    let Place { out, page } = place;
    let folder = out.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
    let mut shown = Vec::new();
    for chart in chart::charts(report) {
        let name = format!("{}.svg", chart.name);
        write_file(&out.join(&name), &chart.svg()?)?;
        shown.push((chart, format!("{folder}/{name}")));
    }
    write_file(page, &page::page(report, &shown)?)?;
    println!("{}, {}, after {} s", page.display(), out.display(), report.seconds);
    Ok(())
}

/// The results that are there.
pub(crate) fn read(place: &Place) -> Result<Report> {
    let results = place.results();
    let json = fs::read_to_string(&results)
        .with_context(|| format!("cannot read {}", results.display()))?;
    Ok(serde_json::from_str(&json)?)
}

fn write_file(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
