//! `outbox check`.

use std::path::{Path, PathBuf};

use clap::Args;
use outbox_runtime::RegistryInfo;

use super::Outcome;
use super::output::print;
use crate::lints::{self, Severity};
use crate::schemas::Error;

#[derive(Args)]
pub(super) struct Check {
    /// The sources in which to look for items that the registry does not list [default: `src`, if it is
    /// here].
    #[arg(long, value_name = "DIR")]
    sources: Option<PathBuf>,
    /// Fail on warnings as well.
    #[arg(long)]
    deny_warnings: bool,
}

impl Check {
    pub(super) fn run(&self, registry: &RegistryInfo) -> Outcome {
        let mut found = lints::check(registry);
        let here = Path::new("src");
        let sources = self.sources.as_deref().or_else(|| here.is_dir().then_some(here));
        if let Some(sources) = sources {
            let unlisted = lints::unlisted(sources, registry);
            found.extend(unlisted.map_err(|error| Error::io(sources, &error))?);
        }
        for lint in &found {
            print(&format!("{lint}\n"));
        }
        let errors = found.iter().filter(|lint| lint.severity == Severity::Error).count();
        let warnings = found.len() - errors;
        print(&format!("{errors} errors, {warnings} warnings\n"));
        Ok(errors == 0 && (warnings == 0 || !self.deny_warnings))
    }
}
