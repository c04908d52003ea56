//! `cargo xtask test`: every check and every test, the one command that people and CI run.
//!
//! Cheap steps come first, so that a misformatted file is known in seconds; services start when
//! the first step that needs them does. Nothing is skipped for want of a service: what is missing
//! is installed, or the run fails and says what to do.

use std::process::Command;

use anyhow::{Context, Result};

use crate::report::Report;
use crate::services::Services;
use crate::{examples, generated, process, suite, tidy, workspace};

/// A step of the run.
struct Step {
    name: &'static str,
    about: &'static str,
    run: Run,
}

/// What a step does, and whether it needs the services.
enum Run {
    Alone(fn() -> Result<()>),
    With(fn(&Services) -> Result<()>),
}

const STEPS: &[Step] = &[
    Step { name: "tidy", about: "rules that no compiler checks", run: Run::Alone(tidy::run) },
    Step { name: "fmt", about: "formatting", run: Run::Alone(fmt) },
    Step { name: "clippy", about: "lints on everything", run: Run::Alone(clippy) },
    Step {
        name: "features",
        about: "the runtime with one database, the command without SQLite",
        run: Run::Alone(features),
    },
    Step { name: "doc", about: "documentation and its links", run: Run::Alone(doc) },
    Step { name: "tests", about: "every test, on both databases", run: Run::With(suite::all) },
    Step { name: "doctests", about: "examples in documentation", run: Run::With(suite::doctests) },
    Step {
        name: "generated",
        about: "what is generated and committed",
        run: Run::Alone(generated::run),
    },
    Step { name: "examples", about: "the example programs", run: Run::With(examples::run) },
];

/// Runs all steps, or those named in `only`, in the order of [`STEPS`]; the first failure ends
/// the run.
pub(crate) fn run(only: &[String]) -> Result<()> {
    let chosen = |step: &&Step| only.is_empty() || only.iter().any(|name| name == step.name);
    let mut report = Report::default();
    let result = run_steps(STEPS.iter().filter(chosen), &mut report);
    println!("{report}");
    result
}

/// What `--only` accepts.
pub(crate) fn step_names() -> Vec<&'static str> {
    STEPS.iter().map(|step| step.name).collect()
}

fn run_steps<'a>(steps: impl Iterator<Item = &'a Step>, report: &mut Report) -> Result<()> {
    let mut services = None;
    for Step { name, about, run } in steps {
        let result = match run {
            Run::Alone(run) => report.step(name, about, run),
            Run::With(run) => {
                if services.is_none() {
                    let started = report.step("services", "a database and data", Services::start);
                    services = Some(started.context("step `services` failed")?);
                }
                let services = services.as_ref().context("the services have just been started")?;
                report.step(name, about, || run(services))
            }
        };
        result.with_context(|| {
            format!("step `{name}` failed; to run it alone: cargo xtask test --only {name}")
        })?;
    }
    Ok(())
}

fn fmt() -> Result<()> {
    process::run(workspace::cargo().args(["fmt", "--all", "--check"]))
}

fn clippy() -> Result<()> {
    let mut command = workspace::cargo();
    command.args(["clippy", "--workspace", "--all-targets", "--all-features"]);
    process::run(deny_warnings(&mut command))
}

/// A feature that leans on another one is found only by building it alone.
fn features() -> Result<()> {
    for database in ["sqlite", "postgres"] {
        let mut command = workspace::cargo();
        command.args(["clippy", "--package", "outbox-runtime"]);
        command.args(["--no-default-features", "--features", database]);
        process::run(deny_warnings(&mut command))?;
    }
    let mut command = workspace::cargo();
    command.args(["clippy", "--package", "outbox-codegen"]);
    process::run(deny_warnings(&mut command))
}

fn deny_warnings(clippy: &mut Command) -> &mut Command {
    clippy.args(["--", "-D", "warnings"])
}

fn doc() -> Result<()> {
    let mut command = workspace::cargo();
    command.args(["doc", "--workspace", "--no-deps", "--all-features"]);
    process::run(command.env("RUSTDOCFLAGS", "-D warnings"))
}
