//! The page for people: tables of medians, and what each is of ours.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Result;

use crate::figures::{Metric, rounded};
use crate::report::chart::{Chart, main_metric};
use crate::report::{Report, Row, targets};
use crate::workloads::Workload;

const PAGE: &str = include_str!("page.md");

/// The page, which shows the charts of these files.
pub(super) fn page(report: &Report, charts: &[(Chart, String)]) -> Result<String> {
    let mut results = String::new();
    let mut sections: Vec<(&str, Workload)> = Vec::new();
    for row in &report.rows {
        let section = (row.database.as_str(), row.workload);
        if !sections.contains(&section) {
            sections.push(section);
        }
    }
    for (database, workload) in sections {
        let name = workload.name();
        write!(results, "\n### {database}: {name}\n\n{}\n\n", workload.about())?;
        let own =
            |chart: &&(Chart, String)| chart.0.database == database && chart.0.workload == workload;
        if let Some((_, file)) = charts.iter().find(own) {
            write!(results, "![{database}, {name}]({file})\n\n")?;
        }
        let rows: Vec<&Row> = report
            .rows
            .iter()
            .filter(|row| row.database == database && row.workload == workload)
            .collect();
        table(&mut results, workload, &rows)?;
        absences(&mut results, &rows)?;
    }
    let mut peers = String::new();
    for (name, version) in &report.versions {
        writeln!(peers, "* `{name}` is version {version}.")?;
    }
    Ok(PAGE
        .replace("{{machine}}", &report.machine.described())
        .replace("{{rounds}}", &report.rounds.to_string())
        .replace("{{minutes}}", &report.seconds.div_ceil(60).to_string())
        .replace("{{peers}}\n", &peers)
        .replace("{{targets}}\n", &targets::table(report))
        .replace("{{results}}\n", &results))
}

fn table(text: &mut String, workload: Workload, rows: &[&Row]) -> Result<()> {
    let metrics: BTreeSet<Metric> =
        rows.iter().flat_map(|row| row.summary.figures.keys().copied()).collect();
    let main = main_metric(workload);
    text.push_str("| case | contestant |");
    for metric in &metrics {
        write!(text, " {} |", metric.title())?;
    }
    text.push_str(" outbox is |\n| --- | --- |");
    text.push_str(&" ---: |".repeat(metrics.len() + 1));
    text.push('\n');
    for row in rows.iter().filter(|row| !row.summary.figures.is_empty()) {
        write!(text, "| {} | {} |", row.case, row.contestant)?;
        for metric in &metrics {
            match row.summary.figures.get(metric) {
                Some(spread) => write!(text, " {spread} |")?,
                None => text.push_str(" |"),
            }
        }
        let ours = rows.iter().find(|other| other.contestant == "outbox" && other.case == row.case);
        let ratio = ours.and_then(|ours| ratio(ours, row, main));
        match ratio {
            Some(ratio) => writeln!(text, " {} times |", rounded(ratio))?,
            None => text.push_str(" |\n"),
        }
        for remark in &row.summary.remarks {
            writeln!(text, "| | | {} |", cell(remark))?;
        }
    }
    Ok(())
}

/// How many times as much ours is. Who does not keep up with what is offered is not compared: what it leaves out
/// has no latency.
fn ratio(ours: &Row, theirs: &Row, metric: Metric) -> Option<f64> {
    if ours.contestant == theirs.contestant {
        return None;
    }
    let of = |row: &Row, metric| row.summary.figures.get(&metric).map(|spread| spread.median);
    let rate = Metric::PerSecondAtTheEnd;
    if let (Some(ours), Some(theirs)) = (of(ours, rate), of(theirs, rate))
        && theirs < KEEPS_UP * ours
    {
        return None;
    }
    let by = of(theirs, metric)?;
    (by > 0.0).then_some(of(ours, metric)? / by)
}

/// So much of the rate at which ours delivers.
const KEEPS_UP: f64 = 0.9;

/// Those of whom there are no figures. Who says the same of the same cases is named together.
fn absences(text: &mut String, rows: &[&Row]) -> Result<()> {
    let every: BTreeSet<&str> = rows.iter().map(|row| row.case.as_str()).collect();
    let mut cases: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.summary.figures.is_empty()) {
        let why = cell(&row.summary.remarks.join("; "));
        cases.entry((&row.contestant, why)).or_default().push(&row.case);
    }
    let mut names: BTreeMap<(Vec<&str>, String), Vec<&str>> = BTreeMap::new();
    for ((name, why), cases) in cases {
        names.entry((cases, why)).or_default().push(name);
    }
    if !names.is_empty() {
        text.push('\n');
    }
    for ((cases, why), names) in names {
        write!(text, "* `{}`", names.join("`, `"))?;
        if cases.len() < every.len() {
            write!(text, " ({})", cases.join("; "))?;
        }
        writeln!(text, ": {why}")?;
    }
    Ok(())
}

/// A text that may stand in a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" ")
}
