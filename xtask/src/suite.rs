//! The test suite, with `cargo nextest` when it is installed and `cargo test` otherwise, so
//! that a machine with Rust and nothing else runs the same tests.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::process;
use crate::services::Services;
use crate::workspace;

/// Where the long tests are: whole processes in one, the reader and its broken variants in the other.
const LONG: [&str; 8] = [
    "--package",
    "outbox-tests",
    "--package",
    "outbox-runtime",
    "--all-features",
    "--lib",
    "--test",
    "chaos",
];

/// The profile of the root's `Cargo.toml` that the long tests are built with.
const CHECKED: &str = "checked";

/// Every test but the doctests.
pub(crate) fn all(services: &Services) -> Result<()> {
    let mut command = services.cargo();
    if has_nextest() {
        command.args(["nextest", "run", "--workspace", "--all-features"]);
    } else {
        println!("    cargo-nextest is not installed: using cargo test");
        command.args(["test", "--workspace", "--all-features", "--no-fail-fast"]);
        command.args(["--lib", "--bins", "--tests"]);
    }
    process::run(&mut command)
}

/// The documentation's examples, which nextest does not run.
pub(crate) fn doctests(services: &Services) -> Result<()> {
    process::run(services.cargo().args(["test", "--doc", "--workspace", "--all-features"]))
}

/// The long tests whose path contains one of these, ignored ones too, with what they print.
pub(crate) fn aloud(
    services: &Services,
    only: &[String],
    variables: &[(&str, &OsStr)],
) -> Result<()> {
    let mut command = services.cargo();
    if has_nextest() {
        command.args(["nextest", "run", "--profile", "chaos", "--cargo-profile", CHECKED]);
        command.args(LONG).args(["--run-ignored", "all"]).args(only);
    } else {
        println!("    cargo-nextest is not installed: using cargo test");
        command.args(["test", "--profile", CHECKED]).args(LONG);
        command.args(["--", "--include-ignored", "--nocapture", "--test-threads=1"]).args(only);
    }
    process::run(command.envs(variables.iter().copied()))
}

fn has_nextest() -> bool {
    let mut command: Command = workspace::cargo();
    command.args(["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
