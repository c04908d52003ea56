//! `outbox schemas compat`.

use std::path::{Path, PathBuf};

use chrono::Utc;
use clap::{Args, ValueEnum};
use outbox_runtime::RegistryInfo;

use super::Outcome;
use super::folder::Folder;
use super::output::print;
use crate::gate::{self, Report, Waivers};
use crate::schemas::{self, Error, Snapshot};

#[derive(Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    folder: Folder,
    /// What was released, as a revision of the git repository (`origin/main`) or as a folder
    /// [default: what the folder itself says].
    #[arg(long, value_name = "REV|DIR")]
    against: Option<String>,
    /// How the report is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// As annotations of a pull request on GitHub, after the text.
    Github,
}

impl Arguments {
    pub(super) fn run(&self, registry: Option<&RegistryInfo>) -> Outcome {
        let folder = self.folder.path();
        let report = report(registry, &folder, self.against.as_deref())?;
        match self.format {
            Format::Text => print(&report.to_string()),
            Format::Json => print(&format!("{:#}\n", report.to_json())),
            Format::Github => print(&format!("{report}{}", report.to_github())),
        }
        if report.versions == 0 {
            eprintln!(
                "note: nothing is released in {}, so everything may change (see `outbox schemas release`)",
                self.against.as_deref().map_or(folder.display().to_string(), str::to_owned),
            );
        }
        Ok(!report.is_breaking())
    }
}

/// What the code, or else the committed files, break of what was released; waivers applied.
pub(super) fn report(
    registry: Option<&RegistryInfo>,
    folder: &Path,
    against: Option<&str>,
) -> Result<Report, Error> {
    let code = match registry {
        Some(registry) => Snapshot::of(registry),
        None => schemas::load(folder)?,
    };
    let released = match against {
        None => schemas::released(folder, None)?,
        Some(against) => {
            let other = PathBuf::from(against);
            match other.is_dir() {
                true => schemas::released(&other, None)?,
                false => schemas::released(folder, Some(against))?,
            }
        }
    };
    let mut report = gate::compare(&code, &released);
    Waivers::load(folder)?.apply(&mut report, Utc::now().date_naive());
    Ok(report)
}
