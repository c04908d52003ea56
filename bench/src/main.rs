//! The benchmarks: this project beside the limit of the machine and beside its peers.
//!
//! `cargo xtask bench` builds the peers and calls `outbox-bench run`; see `docs/benchmarks.md`.
//! `outbox-bench contest NAME ...` is one of this program's own contestants, which `run` starts.

mod contestants;
mod figures;
mod machine;
mod report;
mod run;
mod umpire;
mod workloads;

use anyhow::Result;
use clap::Parser;
use outbox_contest::Task;

#[derive(Parser)]
enum Arguments {
    /// Run the contest, and write what came of it.
    Run(run::Options),
    /// Write the page and the charts anew, from the results of a contest.
    Page(report::Place),
    /// Be a contestant.
    Contest {
        /// Which one.
        name: contestants::Name,
        /// What the umpire asks for.
        #[command(flatten)]
        task: Task,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    match Arguments::parse() {
        Arguments::Run(options) => run::run(&options).await,
        Arguments::Page(place) => report::write_page(&report::read(&place)?, &place),
        Arguments::Contest { name, task } => contestants::run(name, task).await,
    }
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
