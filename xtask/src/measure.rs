//! `cargo xtask measure`: figures of a release build, as ratios within one run.

use anyhow::Result;

use crate::process;
use crate::services::Services;

/// What is measured is the worker, not which part of the log the server still has in its buffers: with
/// Postgres' default of 128 MB, the end of a backlog of 1,000,000 events (some 300 MB) is still there from
/// when it was written, and the beginning is not.
const SETTINGS: [&str; 1] = ["shared_buffers = 1GB"];

pub(crate) fn run(events: u64) -> Result<()> {
    let services = Services::with_settings(&SETTINGS)?;
    let measure = |what: &str, events: u64| {
        let mut cargo = services.cargo();
        cargo.args(["run", "--quiet", "--release", "-p", "outbox-tests", "--bin", "measure", "--"]);
        cargo.arg(what).arg(events.to_string());
        process::run(&mut cargo)
    };
    measure("workers", events / 25)?;
    measure("backlog", events)
}
