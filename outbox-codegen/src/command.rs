//! The command `outbox`, with the types of an application ([`main`]) and without any ([`standalone`]).
//!
//! | exit code | means |
//! | --- | --- |
//! | 0 | as it should be: up to date, compatible, written |
//! | 1 | breaking, not to be decided, or not up to date |
//! | 2 | the input or the command line cannot be used |

mod check;
mod compat;
mod diff;
mod documents;
mod folder;
mod generate;
mod migrations;
mod operations;
mod output;
mod release;
mod written;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use outbox_runtime::{Registry, RegistryInfo};

use crate::schemas::Error;

pub(crate) use folder::nearest;

/// The command with the types of an application: all of a `src/bin/outbox.rs`.
///
/// ```no_run
/// # mod shop {
/// #     use outbox_runtime::{Event, registry};
/// #     #[derive(Event, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
/// #     #[event(name = "order.placed")]
/// #     pub struct OrderPlaced {}
/// #     registry! { pub struct Shop; events: [OrderPlaced] }
/// # }
/// fn main() -> std::process::ExitCode {
///     outbox_codegen::main::<shop::Shop>()
/// }
/// ```
#[must_use]
pub fn main<R: Registry>() -> ExitCode {
    let Typed { command } = Typed::parse();
    exit(command.run(&R::registry()))
}

/// The command without types: what can be said of committed files, and done in a database.
#[must_use]
pub fn standalone() -> ExitCode {
    exit(match Standalone::parse().command {
        Command::Schemas { command } => command.run(None),
        Command::Operations(operations) => operations.run(),
    })
}

/// What a command says: whether all is as it should be.
type Outcome = Result<bool, Error>;

/// The exit code of what is breaking, or not up to date.
const NOT_SO: u8 = 1;

/// The exit code of input that cannot be used.
const UNUSABLE: u8 = 2;

fn exit(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(NOT_SO),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(UNUSABLE)
        }
    }
}

const ABOUT: &str = "Typed events: their schemas, and what is made from them";

#[derive(Parser)]
#[command(name = "outbox", version, about = ABOUT)]
struct Typed {
    #[command(subcommand)]
    command: TypedCommand,
}

#[derive(Parser)]
#[command(
    name = "outbox",
    version,
    about = ABOUT,
    after_help = "These are the commands that need no types. The others are those of a binary of your own: \
                  `fn main() -> std::process::ExitCode { outbox_codegen::main::<shop::Shop>() }`"
)]
struct Standalone {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum TypedCommand {
    /// The JSON Schemas of all events: as files, and what may become of them.
    Schemas {
        #[command(subcommand)]
        command: TypedSchemas,
    },
    /// Migration files: what the code needs of its database, and the files do not give yet.
    Migrations {
        #[command(subcommand)]
        command: MigrationsCommand,
    },
    /// What compiles, and is probably not meant. For CI.
    Check(check::Check),
    /// An AsyncAPI 3.0 document.
    #[command(name = "asyncapi")]
    AsyncApi(documents::AsyncApi),
    /// Types for TypeScript: every event, and a union of all.
    #[command(name = "typescript")]
    TypeScript(documents::TypeScript),
    /// Pages in Markdown: every event, its versions, who emits it and who consumes it.
    Catalog(documents::Catalog),
    /// Handlers, events and consumers as a picture.
    Graph(documents::Graph),
    /// Schemas and rules for Amazon EventBridge.
    #[command(name = "eventbridge")]
    EventBridge(documents::EventBridge),
    #[command(flatten)]
    Operations(operations::Operations),
}

#[derive(Subcommand)]
enum Command {
    /// What JSON Schemas say of one another.
    Schemas {
        #[command(subcommand)]
        command: Schemas,
    },
    #[command(flatten)]
    Operations(operations::Operations),
}

#[derive(Subcommand)]
enum TypedSchemas {
    /// Writes the schemas of all events, and the lock.
    Generate(generate::Generate),
    /// Whether the committed schemas are those of the code; writes nothing. For CI.
    Check(generate::Check),
    #[command(flatten)]
    Other(Schemas),
}

#[derive(Subcommand)]
enum MigrationsCommand {
    /// Writes a new file with what is missing; those that are there stay as they are.
    Generate(migrations::Generate),
    /// Whether anything is missing; writes nothing. For CI.
    Check(migrations::Check),
}

#[derive(Subcommand)]
enum Schemas {
    /// Whether what is deployed, and what is in the log, can live with the events as they are now. For CI.
    Compat(compat::Arguments),
    /// Freezes what was not released before: run it when you deploy.
    Release(release::Release),
    /// Forgets a released version that the code has no more, when no log holds events of it.
    Forget(release::Forget),
    /// Whether readers of one JSON Schema can read what another one describes.
    ///
    /// Each file is both a writer, which writes no property that its schema does not declare, and a
    /// reader. Exits with 0 if they are compatible, 1 if not or if that cannot be decided, and 2 if a
    /// file cannot be used.
    Diff(diff::Arguments),
}

impl TypedCommand {
    fn run(&self, registry: &RegistryInfo) -> Outcome {
        match self {
            Self::Schemas { command: TypedSchemas::Generate(generate) } => generate.run(registry),
            Self::Schemas { command: TypedSchemas::Check(check) } => check.run(registry),
            Self::Schemas { command: TypedSchemas::Other(command) } => command.run(Some(registry)),
            Self::Migrations { command: MigrationsCommand::Generate(generate) } => {
                generate.run(registry)
            }
            Self::Migrations { command: MigrationsCommand::Check(check) } => check.run(registry),
            Self::Check(check) => check.run(registry),
            Self::AsyncApi(asyncapi) => asyncapi.run(registry),
            Self::TypeScript(typescript) => typescript.run(registry),
            Self::Catalog(catalog) => catalog.run(registry),
            Self::Graph(graph) => graph.run(registry),
            Self::EventBridge(eventbridge) => eventbridge.run(registry),
            Self::Operations(operations) => operations.run(),
        }
    }
}

impl Schemas {
    fn run(&self, registry: Option<&RegistryInfo>) -> Outcome {
        match self {
            Self::Compat(arguments) => arguments.run(registry),
            Self::Release(release) => release.run(registry),
            Self::Forget(forget) => forget.run(),
            Self::Diff(arguments) => arguments.run(),
        }
    }
}
