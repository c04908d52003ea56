//! The contest is held, with small numbers: what it says of the contestants is for `cargo xtask bench`.

use std::fs;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// What a contest left behind.
struct Held {
    results: Value,
    folder: TempDir,
}

/// Runs the workloads on both databases.
fn contest(workloads: &[&str], contestants: &[&str]) -> Held {
    let url = std::env::var("DATABASE_URL").expect(
        "set DATABASE_URL to a Postgres server on which databases may be created (`cargo xtask \
         services` does)",
    );
    let folder = tempfile::tempdir().expect("a directory");
    let out = folder.path().join("results");
    let mut bench = Command::new(env!("CARGO_BIN_EXE_outbox-bench"));
    bench.args(["run", "--quick", "--database-url", &url]);
    bench.arg("--out").arg(&out).arg("--page").arg(folder.path().join("page.md"));
    bench.args(workloads.iter().flat_map(|workload| ["--only", workload]));
    bench.args(contestants.iter().flat_map(|contestant| ["--of", contestant]));
    let status = bench.status().expect("it starts");
    assert!(status.success(), "{status}");
    let results = fs::read_to_string(out.join("results.json")).expect("results");
    Held { results: serde_json::from_str(&results).expect("JSON"), folder }
}

/// The median of a figure, for each of the rows of a contestant.
fn medians(results: &Value, contestant: &str, figure: &str) -> Vec<f64> {
    let rows = results["rows"].as_array().expect("rows");
    let rows = rows.iter().filter(|row| row["contestant"] == contestant);
    rows.map(|row| {
        let remarks = &row["summary"]["remarks"];
        assert_eq!(remarks.as_array().map(Vec::len), Some(0), "{row}");
        row["summary"]["figures"][figure]["median"].as_f64().expect(figure)
    })
    .collect()
}

#[test]
fn what_waits_is_drained_by_this_project_and_by_the_raw_loop_on_both_databases() {
    let Held { results, folder } = contest(&["drain"], &["outbox", "raw"]);
    for contestant in ["outbox", "raw"] {
        let rates = medians(&results, contestant, "per_second");
        assert_eq!(rates.len(), 2, "{results}");
        assert!(rates.iter().all(|rate| *rate > 0.0), "{rates:?}");
    }
    let page = fs::read_to_string(folder.path().join("page.md")).expect("the page");
    for database in ["Postgres", "SQLite"] {
        let chart = format!("results/{}-drain.svg", database.to_lowercase());
        assert!(
            page.contains(&format!("### {database}: drain")) && page.contains(&chart),
            "{page}"
        );
        let picture = fs::read_to_string(folder.path().join(chart)).expect("a chart");
        assert!(picture.starts_with("<svg") && picture.contains("raw"), "{picture}");
    }

    let again = folder.path().join("again.md");
    let mut bench = Command::new(env!("CARGO_BIN_EXE_outbox-bench"));
    bench.arg("page").arg("--out").arg(folder.path().join("results")).arg("--page").arg(&again);
    let status = bench.status().expect("it starts");
    assert!(status.success(), "{status}");
    assert_eq!(fs::read_to_string(again).expect("the page"), page);
}

#[test]
fn events_are_emitted_and_delivered_and_what_is_not_supported_is_said() {
    let Held { results, .. } = contest(&["emit", "latency"], &["outbox", "raw", "none"]);
    assert_eq!(medians(&results, "none", "per_second").len(), 2, "{results}");
    let rows = results["rows"].as_array().expect("rows");
    let latencies: Vec<&Value> = rows.iter().filter(|row| row["workload"] == "latency").collect();
    // In one process on both, and only polling: two contestants; in two processes one of these.
    assert_eq!(latencies.len(), 7, "{results}");
    for row in latencies {
        let figures = &row["summary"]["figures"];
        // The raw loop loses what commits in another order.
        let delivers_all = row["contestant"] != "raw" || row["database"] == "SQLite";
        assert!(!delivers_all || figures["undelivered"]["median"] == 0.0, "{row}");
        assert!(figures["p99_ms"]["median"].as_f64() >= figures["p50_ms"]["median"].as_f64());
    }
}

#[test]
fn a_contestant_that_cannot_do_something_is_in_the_table() {
    let Held { results, .. } = contest(&["ordered"], &["outbox", "raw"]);
    let rows = results["rows"].as_array().expect("rows");
    let raw = rows.iter().filter(|row| row["contestant"] == "raw");
    let remarks: Vec<&Value> = raw.map(|row| &row["summary"]["remarks"][0]).collect();
    assert_eq!(remarks.len(), 2, "{results}");
    assert!(remarks.iter().all(|why| *why == "it has no retries, so nothing may fail"));
}
