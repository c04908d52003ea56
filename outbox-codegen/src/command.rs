//! The command `outbox`.
//!
//! | exit code | means |
//! | --- | --- |
//! | 0 | compatible |
//! | 1 | breaking, or not to be decided |
//! | 2 | the input or the command line cannot be used |

mod diff;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Runs what the command line says.
#[must_use]
pub fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Schemas { command: Schemas::Diff(arguments) } => diff::run(&arguments),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(UNUSABLE)
        }
    }
}

/// The exit code of what is breaking.
const BREAKING: u8 = 1;

/// The exit code of input that cannot be used.
const UNUSABLE: u8 = 2;

#[derive(Parser)]
#[command(
    name = "outbox",
    version,
    about = "Typed events: their schemas, and what they are good for"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// What JSON Schemas say of one another.
    Schemas {
        #[command(subcommand)]
        command: Schemas,
    },
}

#[derive(Subcommand)]
enum Schemas {
    /// Whether readers of one JSON Schema can read what another one describes.
    ///
    /// Each file is both a writer, which writes no property that its schema does not declare, and a
    /// reader. Exits with 0 if they are compatible, 1 if not or if that cannot be decided, and 2 if a
    /// file cannot be used.
    Diff(diff::Arguments),
}
