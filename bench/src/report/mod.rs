//! What came of a contest, as JSON, as a page with tables, and as charts.

mod chart;
mod page;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
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

/// What came of one case for one contestant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) database: String,
    pub(crate) workload: Workload,
    pub(crate) case: String,
    pub(crate) contestant: String,
    pub(crate) summary: Summary,
}

/// Writes `results.json` and the charts into a directory, and the page that shows them.
pub(crate) fn write(report: &Report, out: &Path, page: &Path) -> Result<()> {
    fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    let json = serde_json::to_string_pretty(report)? + "\n";
    write_file(&out.join("results.json"), &json)?;
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

fn write_file(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
