//! `cargo xtask compile-time`: what the macros cost when a user's crate is compiled.
//!
//! Two crates do the same, one with the macros and one with the implementations that a person would
//! write; both are built in turns, anew and after a small change. Only the crate itself is timed, its
//! dependencies are built before.

mod source;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::process;
use crate::workspace;

use source::Style;

/// A crate of so many events and consumers.
struct Subject {
    style: Style,
    folder: PathBuf,
    times: Times,
}

#[derive(Default)]
struct Times {
    clean: Vec<Duration>,
    incremental: Vec<Duration>,
}

pub(crate) fn run(count: u32, rounds: u32) -> Result<()> {
    let home = workspace::target_dir().join("compile-time");
    let mut subjects = Vec::new();
    for style in [Style::Macros, Style::ByHand] {
        let folder = home.join(style.name());
        write(&folder, style, count)?;
        let subject = Subject { style, folder, times: Times::default() };
        println!("    building the dependencies of `{}`", style.name());
        process::output(&mut subject.build(&home))?;
        subjects.push(subject);
    }
    for round in 0..rounds {
        for subject in &mut subjects {
            subject.time(&home, round, count)?;
        }
    }
    println!(
        "\n{count} events and {count} consumers; median of {rounds} builds (`cargo build`), in ms"
    );
    println!("| crate | clean | after a change in one function |");
    println!("| --- | --- | --- |");
    for Subject { style, times, .. } in &mut subjects {
        let (clean, incremental) = (median(&mut times.clean), median(&mut times.incremental));
        println!("| {} | {} | {} |", style.name(), clean.as_millis(), incremental.as_millis());
    }
    let [macros, by_hand] = &mut subjects[..] else { return Ok(()) };
    let ratio = |ours: &mut Vec<Duration>, theirs: &mut Vec<Duration>| {
        median(ours).as_secs_f64() / median(theirs).as_secs_f64()
    };
    println!(
        "| ratio | {:.2} | {:.2} |",
        ratio(&mut macros.times.clean, &mut by_hand.times.clean),
        ratio(&mut macros.times.incremental, &mut by_hand.times.incremental)
    );
    Ok(())
}

impl Subject {
    fn time(&mut self, home: &Path, round: u32, count: u32) -> Result<()> {
        let package = self.style.name();
        let mut clean = self.cargo(home);
        process::output(clean.args(["clean", "--quiet", "--package", package]))?;
        self.times.clean.push(timed(&mut self.build(home))?);
        let library = self.folder.join("src/lib.rs");
        fs::write(&library, source::library(self.style, count, round + 1))
            .with_context(|| format!("cannot write {}", library.display()))?;
        self.times.incremental.push(timed(&mut self.build(home))?);
        Ok(())
    }

    fn build(&self, home: &Path) -> Command {
        let mut command = self.cargo(home);
        command.args(["build", "--quiet"]);
        command
    }

    fn cargo(&self, home: &Path) -> Command {
        let mut command = workspace::cargo();
        command.current_dir(&self.folder).env("CARGO_TARGET_DIR", home.join("target"));
        command
    }
}

fn write(folder: &Path, style: Style, count: u32) -> Result<()> {
    let root = workspace::root();
    let runtime = root.join("outbox-runtime");
    let cannot_write = || format!("cannot write to {}", folder.display());
    fs::create_dir_all(folder.join("src")).with_context(cannot_write)?;
    fs::write(folder.join("Cargo.toml"), source::manifest(style, &runtime))
        .with_context(cannot_write)?;
    // The versions that the repository has chosen.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).with_context(cannot_write)?;
    let library = source::library(style, count, 0);
    fs::write(folder.join("src/lib.rs"), library).with_context(cannot_write)
}

fn timed(command: &mut Command) -> Result<Duration> {
    let began = Instant::now();
    process::output(command)?;
    Ok(began.elapsed())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
