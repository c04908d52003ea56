//! `cargo xtask measure`: figures of a release build, as ratios within one run.

use anyhow::Result;

use crate::process;
use crate::services::Services;

pub(crate) fn run(events: u64) -> Result<()> {
    let services = Services::start()?;
    let measure = |what: &str, events: u64| {
        let mut cargo = services.cargo();
        cargo.args(["run", "--quiet", "--release", "-p", "outbox-tests", "--bin", "measure", "--"]);
        cargo.arg(what).arg(events.to_string());
        process::run(&mut cargo)
    };
    measure("workers", events / 25)?;
    measure("backlog", events)
}
