//! `outbox schemas generate`, and its twin `outbox schemas check`.

use clap::Args;
use outbox_runtime::RegistryInfo;

use super::Outcome;
use super::folder::Folder;
use super::output::{counted, print};
use crate::schemas::{self, Snapshot};

#[derive(Args)]
pub(super) struct Generate {
    #[command(flatten)]
    folder: Folder,
}

#[derive(Args)]
pub(super) struct Check {
    #[command(flatten)]
    folder: Folder,
}

impl Generate {
    pub(super) fn run(&self, registry: &RegistryInfo) -> Outcome {
        let (code, folder) = (Snapshot::of(registry), self.folder.path());
        let before = schemas::check(&code, &folder)?;
        schemas::generate(&code, &folder)?;
        for difference in &before {
            print(&format!("{}\n", folder.join(difference.path()).display()));
        }
        print(&format!("{} written\n", counted(before.len() as u64, "file")));
        Ok(true)
    }
}

impl Check {
    pub(super) fn run(&self, registry: &RegistryInfo) -> Outcome {
        let (code, folder) = (Snapshot::of(registry), self.folder.path());
        let differences = schemas::check(&code, &folder)?;
        for difference in &differences {
            print(&format!("{difference}\n"));
        }
        if !differences.is_empty() {
            print(&format!(
                "{} in {}: run `outbox schemas generate`, look at what has changed, and commit it\n",
                counted(differences.len() as u64, "difference"),
                folder.display(),
            ));
        }
        Ok(differences.is_empty())
    }
}
