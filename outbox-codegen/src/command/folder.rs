//! Where the schemas are.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::schemas;

#[derive(Args)]
pub(super) struct Folder {
    /// The folder of the schemas [default: the nearest `schemas` with a lock, here or further up, or else
    /// `schemas` here].
    #[arg(long, value_name = "DIR")]
    schemas: Option<PathBuf>,
}

impl Folder {
    pub(super) fn path(&self) -> PathBuf {
        self.schemas.clone().unwrap_or_else(nearest)
    }
}

/// The nearest `schemas` with a lock, here or further up; or else `schemas` here.
pub(crate) fn nearest() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let found = here.ancestors().map(|folder| folder.join("schemas"));
    let mut found = found.filter(|folder| folder.join(schemas::LOCK).is_file());
    let found = found.next();
    // As short as people write it, where it is here.
    found
        .filter(|found| found.parent() != Some(&here))
        .unwrap_or_else(|| Path::new("schemas").into())
}
