//! What the umpire asks for, as the arguments of a program.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// What is asked for, and of whom.
#[derive(Debug, Clone, Parser)]
pub struct Task {
    /// How the consumers are set up.
    #[command(flatten)]
    pub setup: Setup,
    /// What is to be done.
    #[command(subcommand)]
    pub action: Action,
}

/// How the consumers are set up: known to whoever emits as well, since some write for each of them.
#[derive(Debug, Clone, Args)]
pub struct Setup {
    /// The address of the database: `postgres://...`, or `sqlite://...` with the path of a file.
    #[arg(long)]
    pub url: String,
    /// How many consumers receive each event.
    #[arg(long, default_value_t = 1)]
    pub consumers: u32,
    /// What kind they are of.
    #[arg(long, default_value = "plain")]
    pub kind: Kind,
    /// How many workers share each consumer, where that has to be said beforehand.
    #[arg(long, default_value_t = 1)]
    pub shards: u32,
    /// How many handlers may run at once in a process; as many as the contestant likes if none is given.
    #[arg(long)]
    pub concurrency: Option<u32>,
    /// At most so many connections for emitting.
    #[arg(long, default_value_t = 10)]
    pub connections: u32,
    /// No signals between processes: what another one commits is found by looking for it.
    #[arg(long)]
    pub poll_only: bool,
}

/// The kinds of consumers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// The handler only counts.
    Plain,
    /// Orders of one key are handled one after the other, and those of one key fail; the others go on.
    Ordered,
    /// Each order adds one to the row of its key in the table `total`, exactly once.
    Projection,
}

/// What a handler does beside counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Load {
    /// Nothing.
    Nothing,
    /// It waits 5 ms.
    Wait,
    /// It keeps a core busy for 50 µs.
    Burn,
}

/// The end of the way that a process is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Ends {
    /// It emits and handles.
    Both,
    /// It emits.
    Emitter,
    /// It handles.
    Worker,
}

/// What is to be done.
#[derive(Debug, Clone, Subcommand)]
pub enum Action {
    /// Make tables, and register the consumers.
    Install,
    /// Emit events that wait, in whatever way is fastest.
    Fill {
        /// So many.
        #[arg(long)]
        events: u64,
    },
    /// Handle and record what waits.
    Drain {
        /// So many events wait.
        #[arg(long)]
        events: u64,
        /// What is not handled by then is left.
        #[arg(long, value_parser = seconds, value_name = "SECONDS")]
        at_most: Duration,
        /// Say at the end how long its reads took.
        #[arg(long)]
        time_reads: bool,
    },
    /// Commit transactions of one row of the application's own and some events.
    Emit {
        /// So many at once.
        #[arg(long)]
        writers: u32,
        /// So many events in each.
        #[arg(long, default_value_t = 1)]
        events: u32,
        /// For so long.
        #[arg(long = "for", value_parser = seconds, value_name = "SECONDS")]
        lasting: Duration,
    },
    /// Emit at a steady rate, and note when each commit returned and when its handler started.
    Deliver {
        /// What this process does of it.
        #[arg(long)]
        ends: Ends,
        /// So many events in all.
        #[arg(long)]
        events: u64,
        /// So many per second.
        #[arg(long)]
        rate: f64,
        /// The moments are left in this directory, in files named `committed` and `started`.
        #[arg(long)]
        marks: PathBuf,
    },
    /// Handle whatever comes until standard input ends, and say now and then how much that was.
    Serve {
        /// What the handlers do.
        #[arg(long, default_value = "nothing")]
        load: Load,
    },
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|error| format!("{error}"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Task;

    #[test]
    fn the_arguments_are_consistent() {
        Task::command().debug_assert();
    }
}
