//! `cargo xtask bench`: this project beside the limit of the machine and beside its peers.
//!
//! The peers are packages in workspaces of their own under `bench/peers`, since their versions of sqlx
//! clash; whatever binaries such a package has are contestants, those whose names end in `-sqlite` on
//! SQLite.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::services::Services;
use crate::{process, workspace};

/// What is passed on to the program.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Small numbers and a single round: to see that everything works, not to compare.
    #[arg(long)]
    quick: bool,
    /// A superuser's address on a Postgres server on which nothing else happens; without one, a server is
    /// started.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// How often each case is run.
    #[arg(long, default_value_t = FEWEST_ROUNDS)]
    rounds: u32,
    /// This workload only; may be repeated.
    #[arg(long, value_name = "WORKLOAD")]
    only: Vec<String>,
    /// This contestant only; may be repeated.
    #[arg(long, value_name = "CONTESTANT")]
    of: Vec<String>,
    /// Leave the peers out.
    #[arg(long)]
    without_peers: bool,
    /// Put what comes of the workloads of `--only` into the documentation, in place of what is there of them.
    #[arg(long, requires = "only", conflicts_with_all = ["quick", "of", "without_peers"])]
    update: bool,
    /// Run nothing: write the page and the charts of the documentation anew, from the results that are there.
    #[arg(long, conflicts_with_all = ["quick", "rounds", "database_url", "only", "of", "without_peers", "update"])]
    page: bool,
}

/// The umpire makes the checkpoints, between the runs.
const SETTINGS: [&str; 2] = ["max_wal_size = 16GB", "checkpoint_timeout = 1h"];

/// Of fewer rounds, medians say too little.
const FEWEST_ROUNDS: u32 = 5;

/// A peer's folder, and the crate whose version is shown.
const PEERS: [(&str, &str); 6] = [
    ("apalis", "apalis-postgres"),
    ("awa", "awa"),
    ("graphile-worker", "graphile_worker"),
    ("obix", "obix"),
    ("pgmq", "pgmq"),
    ("riverqueue", "riverqueue"),
];

pub(crate) fn run(options: &Options) -> Result<()> {
    if options.page {
        let mut program = program("page");
        place(&mut program, &workspace::root().join("docs"));
        return process::run(&mut program);
    }
    let mut arguments = Vec::new();
    if !options.without_peers {
        for (folder, package) in PEERS {
            arguments.extend(build(folder, package)?);
        }
    }
    let services;
    let url = match &options.database_url {
        Some(url) => url,
        None => {
            services = Services::with_settings(&SETTINGS)?;
            services.database_url()
        }
    };
    let mut cargo = program("run");
    cargo.args(["--database-url", url, "--rounds", &options.rounds.to_string()]);
    cargo.args(arguments);
    for workload in &options.only {
        cargo.args(["--only", workload]);
    }
    for contestant in &options.of {
        cargo.args(["--of", contestant]);
    }
    // What is not the whole is not for the documentation.
    let of_all = options.of.is_empty() && !options.without_peers;
    let whole = of_all && (options.only.is_empty() || options.update);
    let folder = if whole && !options.quick && options.rounds >= FEWEST_ROUNDS {
        workspace::root().join("docs")
    } else {
        workspace::target_dir().join("bench")
    };
    if options.quick {
        cargo.arg("--quick");
    }
    if options.update {
        cargo.arg("--update");
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    place(&mut cargo, &folder);
    process::run(&mut cargo)
}

/// The program that does it, with what it is to do.
fn program(task: &str) -> Command {
    let mut cargo = workspace::cargo();
    cargo.args(["run", "--quiet", "--release", "--package", "outbox-bench", "--", task]);
    cargo
}

/// Where the results are, and the page and the charts made of them.
fn place(program: &mut Command, folder: &Path) {
    program.arg("--out").arg(folder.join("benchmarks"));
    program.arg("--page").arg(folder.join("benchmarks.md"));
}

/// Builds the contestants of a package; what is to be said of them.
fn build(folder: &str, package: &str) -> Result<Vec<String>> {
    let workspace = workspace::root().join("bench/peers").join(folder);
    let target = workspace::target_dir().join("peers");
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--quiet", "--release", "--locked", "--manifest-path"]);
    cargo.arg(workspace.join("Cargo.toml")).env("CARGO_TARGET_DIR", &target);
    process::run(&mut cargo)?;
    let version = locked(&workspace.join("Cargo.lock"), package)?;
    let program = target.join("release").join(format!("bench-{folder}"));
    ensure!(program.is_file(), "{folder} has no program `bench-{folder}`");
    let mut arguments = Vec::from(said("--peer", folder, &version, &program));
    let on_sqlite = target.join("release").join(format!("bench-{folder}-sqlite"));
    if on_sqlite.is_file() {
        arguments.extend(said("--sqlite-peer", folder, &version, &on_sqlite));
    }
    Ok(arguments)
}

fn said(option: &str, name: &str, version: &str, program: &Path) -> [String; 2] {
    [option.to_owned(), format!("{name}@{version}={}", program.display())]
}

/// The version of a package in a lock file.
fn locked(lock: &Path, package: &str) -> Result<String> {
    let text =
        fs::read_to_string(lock).with_context(|| format!("cannot read {}", lock.display()))?;
    version_in(&text, package)
        .with_context(|| format!("{} does not name {package}", lock.display()))
}

fn version_in(lock: &str, package: &str) -> Option<String> {
    let entry = lock
        .split("[[package]]")
        .find(|entry| entry.lines().any(|line| line == format!("name = \"{package}\"")))?;
    let version = entry.lines().find_map(|line| line.strip_prefix("version = "))?;
    Some(version.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_package_of_this_name() {
        let lock = "version = 4\n\n[[package]]\nname = \"awa-model\"\nversion = \"0.6.8\"\n\n\
                    [[package]]\nname = \"awa\"\nversion = \"0.6.9\"\n";
        assert_eq!(version_in(lock, "awa").as_deref(), Some("0.6.9"));
        assert_eq!(version_in(lock, "obix"), None);
    }

    #[test]
    fn every_peer_takes_part() {
        let folder = workspace::root().join("bench/peers");
        let entries = fs::read_dir(folder).expect("the peers");
        let mut found: Vec<_> =
            entries.map(|entry| entry.expect("a folder").file_name().into_string()).collect();
        found.sort();
        assert_eq!(found, PEERS.map(|(folder, _)| Ok(folder.to_owned())));
    }
}
