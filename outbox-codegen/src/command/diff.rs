//! `outbox schemas diff`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::Outcome;
use super::output::print;
use crate::compat;
use crate::schemas::Error;

#[derive(Args)]
pub(super) struct Arguments {
    /// The older schema.
    old: PathBuf,
    /// The newer schema.
    new: PathBuf,
    /// Which way round: whether the old reads what the new writes, the new what the old wrote, or both.
    #[arg(long, value_enum, default_value_t = Direction::Full)]
    direction: Direction,
    /// How the report is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Direction {
    /// The old reads what the new writes.
    Forward,
    /// The new reads what the old wrote.
    Backward,
    /// Both.
    Full,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Arguments {
    pub(super) fn run(&self) -> Outcome {
        let (old, new) = (read(&self.old)?, read(&self.new)?);
        let direction = match self.direction {
            Direction::Forward => compat::Direction::Forward,
            Direction::Backward => compat::Direction::Backward,
            Direction::Full => compat::Direction::Full,
        };
        let report =
            compat::diff(&old, &new, direction).map_err(|errors| Error::new(listed(&errors)))?;
        match self.format {
            Format::Text => print(&report.to_string()),
            Format::Json => print(&format!("{:#}\n", report.to_json())),
        }
        Ok(report.is_compatible())
    }
}

/// A schema in a file.
fn read(path: &Path) -> Result<Value, Error> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, &error))?;
    let schema: Value = serde_json::from_str(&text)
        .map_err(|error| Error::new(format!("{shown} is not JSON: {error}")))?;
    compat::check(&schema).map_err(|errors| {
        let errors = listed(&errors);
        Error::new(format!("{shown} is not a JSON Schema that can be compared:\n{errors}"))
    })?;
    Ok(schema)
}

fn listed(errors: &[compat::Unusable]) -> String {
    errors.iter().map(|error| format!("  {error}")).collect::<Vec<_>>().join("\n")
}
