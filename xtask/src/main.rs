//! The repository's own commands, run as `cargo xtask COMMAND`.
//!
//! They are Rust so that a machine needs nothing but Rust to run them, and they depend on
//! almost nothing so that a cold start is not spent on compiling its own tools.

mod bench;
mod chaos;
mod compile_time;
mod evolution;
mod examples;
mod generated;
mod installed;
mod measure;
mod npm;
mod process;
mod report;
mod scratch;
mod services;
mod suite;
mod test;
mod tidy;
mod versions;
mod webhooks;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Test { only } => test::run(&only),
        Command::Bench(options) => bench::run(&options),
        Command::Chaos { seeds, only } => chaos::run(seeds, &only),
        Command::CompileTime { count, rounds } => compile_time::run(count, rounds),
        Command::Evolution => evolution::run(),
        Command::Measure { events } => measure::run(events),
        Command::PostgresVersions { only } => versions::run(&only),
        Command::Services { command } => services::run(&command),
        Command::Webhooks => webhooks::run(),
        Command::Tidy => tidy::run(),
    };
    let Err(error) = result else { return ExitCode::SUCCESS };
    // Printed here, since a backtrace of this program says nothing about the command that failed.
    eprintln!("\nerror: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  because: {cause}");
    }
    ExitCode::FAILURE
}

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The repository's own commands")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run every check and every test; starts Postgres when it has to. What CI runs.
    Test {
        /// Run this step only; may be repeated.
        #[arg(long, value_name = "STEP", value_parser = test::step_names())]
        only: Vec<String>,
    },
    /// Measure this project against the limit of the machine and against its peers; writes
    /// docs/benchmarks.md.
    Bench(bench::Options),
    /// Run the long tests with many seeds, and print the table of faults.
    Chaos {
        /// How many seeds each test runs with.
        #[arg(long, default_value_t = 20)]
        seeds: u32,
        /// Run those tests only whose name contains this; may be repeated.
        #[arg(long, default_value = "chaos", value_name = "TEXT")]
        only: Vec<String>,
    },
    /// Print what the macros cost when a crate is compiled, against implementations by hand.
    CompileTime {
        /// How many events and consumers the crate has.
        #[arg(long, default_value_t = 100)]
        count: u32,
        /// How often each is built.
        #[arg(long, default_value_t = 5)]
        rounds: u32,
    },
    /// The life of an event in a crate of its own: released, broken, refused, mended, replayed. It builds
    /// everything that such a crate depends on, so it is no part of `test`.
    Evolution,
    /// Print figures of a release build: draining a backlog, and what more workers bring.
    Measure {
        /// How many events the backlog has.
        #[arg(long, default_value_t = 1_000_000)]
        events: u64,
    },
    /// Run every test against other major versions of Postgres (Linux on x86_64).
    PostgresVersions {
        /// Run against this version only; may be repeated.
        #[arg(long, value_name = "MAJOR", value_parser = versions::majors())]
        only: Vec<String>,
    },
    /// Run one command with the test services around it, or hold them open until Ctrl-C.
    Services {
        /// The command, for instance: cargo nextest run -p outbox-tests.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
    /// Fetch the real GitHub webhook payloads that the tests replay.
    Webhooks,
    /// Check the rules on the source files that no compiler checks.
    Tidy,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Arguments;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
