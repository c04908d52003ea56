//! `outbox asyncapi`, `typescript`, `catalog`, `graph` and `eventbridge`.

use clap::{Args, ValueEnum};
use outbox_runtime::RegistryInfo;

use super::Outcome;
use super::written::{ToFile, ToFolder};
use crate::documents::{asyncapi, eventbridge, typescript};
use crate::schemas::Error;
use crate::{catalog, graph};

#[derive(Args)]
pub(super) struct AsyncApi {
    /// The version of the application that the document is about.
    #[arg(long, value_name = "VERSION")]
    app_version: Option<String>,
    #[command(flatten)]
    to: ToFile,
}

#[derive(Args)]
pub(super) struct TypeScript {
    #[command(flatten)]
    to: ToFile,
}

#[derive(Args)]
pub(super) struct Catalog {
    #[command(flatten)]
    to: ToFolder,
}

#[derive(Args)]
pub(super) struct Graph {
    /// How it is written.
    #[arg(long, value_enum, default_value_t = Format::Mermaid)]
    format: Format,
    #[command(flatten)]
    to: ToFile,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For Markdown, where it is drawn.
    Mermaid,
    /// For Graphviz.
    Dot,
    /// A picture.
    Svg,
}

#[derive(Args)]
pub(super) struct EventBridge {
    /// The `source` of the events on the bus.
    #[arg(long)]
    source: String,
    #[command(flatten)]
    to: ToFolder,
}

impl AsyncApi {
    pub(super) fn run(&self, registry: &RegistryInfo) -> Outcome {
        let document = asyncapi::json(registry, self.app_version.as_deref());
        self.to.write(&document.map_err(|error| Error::new(error.to_string()))?)
    }
}

impl TypeScript {
    pub(super) fn run(&self, registry: &RegistryInfo) -> Outcome {
        self.to.write(&typescript::declarations(registry))
    }
}

impl Catalog {
    pub(super) fn run(&self, registry: &RegistryInfo) -> Outcome {
        self.to.write(&catalog::files(registry))
    }
}

impl Graph {
    pub(super) fn run(&self, registry: &RegistryInfo) -> Outcome {
        let graph = graph::of(registry);
        self.to.write(&match self.format {
            Format::Mermaid => graph::mermaid(&graph),
            Format::Dot => graph::dot(&graph),
            Format::Svg => graph::svg(&graph),
        })
    }
}

impl EventBridge {
    pub(super) fn run(&self, registry: &RegistryInfo) -> Outcome {
        let files = eventbridge::files(registry, &self.source);
        self.to.write(&files.map_err(|error| Error::new(error.to_string()))?)
    }
}
