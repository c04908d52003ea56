//! `outbox schemas release`, and `outbox schemas forget`.

use clap::Args;
use outbox_runtime::RegistryInfo;

use super::Outcome;
use super::compat::report;
use super::folder::Folder;
use super::output::print;
use crate::schemas::{self, Error, Snapshot};

#[derive(Args)]
pub(super) struct Release {
    #[command(flatten)]
    folder: Folder,
}

#[derive(Args)]
pub(super) struct Forget {
    /// The event's name.
    event: String,
    /// The event's version.
    version: u32,
    #[command(flatten)]
    folder: Folder,
}

impl Release {
    pub(super) fn run(&self, registry: Option<&RegistryInfo>) -> Outcome {
        let folder = self.folder.path();
        if let Some(registry) = registry
            && !schemas::check(&Snapshot::of(registry), &folder)?.is_empty()
        {
            print(
                "what is committed is not what the code says: run `outbox schemas generate` first\n",
            );
            return Ok(false);
        }
        if !folder.join(schemas::LOCK).is_file() {
            let why = "there are no schemas here: run `outbox schemas generate` first, in the crate of your events";
            return Err(Error::unusable(folder.display(), why));
        }
        let report = report(registry, &folder, None)?;
        if report.is_breaking() {
            print(&report.to_string());
            print("nothing was released\n");
            return Ok(false);
        }
        let released = schemas::release(&folder, &report.superseded())?;
        for version in &released {
            print(&format!("released {version}\n"));
        }
        if released.is_empty() {
            print("everything is released already\n");
        }
        Ok(true)
    }
}

impl Forget {
    pub(super) fn run(&self) -> Outcome {
        let folder = self.folder.path();
        schemas::forget(&folder, &self.event, self.version)?;
        print(&format!("{} version {} is forgotten\n", self.event, self.version));
        Ok(true)
    }
}
