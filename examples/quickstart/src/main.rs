//! A small service that receives webhooks and must not lose one.
//!
//! It stores each webhook in a table of its own and emits an event **in the same transaction**;
//! seven consumers react to the events, each at its own pace, and one of them to what another one
//! emits. Kill it at any moment and start it again: it goes on where it stopped.
//!
//! | file | shows |
//! | --- | --- |
//! | `events.rs` | the two events |
//! | `consumers.rs` | what reacts to them: flaky, failing, delayed, ordered, exactly once |
//! | `ingest.rs` | storing and emitting in one transaction |
//! | `service.rs` | running the consumers, and knowing when nothing is left to do |
//! | `database/sqlite.rs`, `database/postgres.rs` | the registry, and consumers inside a transaction |
//!
//! The other files read folders and print. You have one database: read one of the two.

mod consumers;
mod database;
mod events;
mod ingest;
mod progress;
mod report;
mod service;
mod webhook;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::database::Opened;
use crate::report::Report;

/// Receives webhooks, stores them, and has seven consumers react to them.
///
/// Ends by itself when nothing is left to do. A second run continues where the first one stopped.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// A folder of webhooks: JSON objects in files named `<kind>.<anything>`, such as
    /// `push.001.json`. [default: the samples that come with this example]
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,

    /// The SQLite file; made if it is missing.
    #[arg(long, value_name = "FILE", default_value = "target/quickstart.db")]
    database: PathBuf,

    /// Use Postgres instead, such as `postgres://user:password@localhost/quickstart`.
    #[arg(long, value_name = "URL", conflicts_with = "database")]
    database_url: Option<String>,

    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

/// What a shell reports for a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

#[tokio::main]
async fn main() -> ExitCode {
    // Dead letters are in the report, so the engine need not warn of each.
    let quiet = "warn,outbox_runtime::worker::hooks=error";
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(quiet));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();

    match run(Arguments::parse()).await {
        Ok(report) if report.finished => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(INTERRUPTED),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<Report> {
    let folder = arguments.from.unwrap_or_else(webhook::samples);
    let files = webhook::list(&folder)?;
    let report = match &arguments.database_url {
        None => service::run(Opened::sqlite(&arguments.database).await?, &files).await?,
        Some(url) => service::run(Opened::postgres(url).await?, &files).await?,
    };
    if arguments.json {
        println!("{}", report.to_json()?);
    } else {
        print!("{report}");
    }
    Ok(report)
}
