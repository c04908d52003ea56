//! `outbox schemas diff`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::BREAKING;
use crate::compat;

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

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    let (old, new) = (read(&arguments.old)?, read(&arguments.new)?);
    let direction = match arguments.direction {
        Direction::Forward => compat::Direction::Forward,
        Direction::Backward => compat::Direction::Backward,
        Direction::Full => compat::Direction::Full,
    };
    let report = compat::diff(old, new, direction).map_err(|errors| listed(&errors))?;
    let text = match arguments.format {
        Format::Text => report.to_string(),
        Format::Json => format!("{:#}\n", report.to_json()),
    };
    // Whoever reads the report may have gone away, as `head` does.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(if report.is_compatible() { ExitCode::SUCCESS } else { ExitCode::from(BREAKING) })
}

/// A schema in a file.
fn read(path: &Path) -> Result<Value, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
    let schema: Value =
        serde_json::from_str(&text).map_err(|error| format!("{shown} is not JSON: {error}"))?;
    compat::check(&schema).map_err(|errors| {
        format!("{shown} is not a JSON Schema that can be compared:\n{}", listed(&errors))
    })?;
    Ok(schema)
}

fn listed(errors: &[compat::Unusable]) -> String {
    errors.iter().map(|error| format!("  {error}")).collect::<Vec<_>>().join("\n")
}
