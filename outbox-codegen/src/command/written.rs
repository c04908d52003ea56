//! What is generated into files, and the check that it has been: one text, or a folder of files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::Outcome;
use super::output::print;
use crate::schemas::{Error, unified};

/// Where a document goes.
#[derive(Args)]
pub(super) struct ToFile {
    /// The file [default: it is printed].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only say whether the file is what would be written; for CI.
    #[arg(long, requires = "output")]
    check: bool,
}

/// Where many documents go.
#[derive(Args)]
pub(super) struct ToFolder {
    /// The folder.
    folder: PathBuf,
    /// Only say whether the files are what would be written; for CI.
    #[arg(long)]
    check: bool,
}

impl ToFile {
    pub(super) fn write(&self, text: &str) -> Outcome {
        match (&self.output, self.check) {
            (None, _) => {
                print(text);
                Ok(true)
            }
            (Some(file), true) => is_written(file, text),
            (Some(file), false) => write(file, text).map(|()| true),
        }
    }
}

impl ToFolder {
    pub(super) fn write(&self, files: &BTreeMap<PathBuf, String>) -> Outcome {
        let mut is_so = true;
        for (path, text) in files {
            let path = self.folder.join(path);
            if self.check {
                is_so &= is_written(&path, text)?;
            } else {
                write(&path, text)?;
            }
        }
        Ok(is_so)
    }
}

fn write(file: &Path, text: &str) -> Result<(), Error> {
    if let Some(parent) = file.parent() {
        std::fs::create_dir_all(parent).map_err(|error| Error::io(parent, &error))?;
    }
    std::fs::write(file, text).map_err(|error| Error::io(file, &error))
}

fn is_written(file: &Path, text: &str) -> Outcome {
    match std::fs::read_to_string(file) {
        Ok(found) if found == text => Ok(true),
        Ok(found) => {
            print(&format!("{} is out of date:\n", file.display()));
            print(&unified(file, &found, text));
            Ok(false)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            print(&format!("{} is missing\n", file.display()));
            Ok(false)
        }
        Err(error) => Err(Error::io(file, &error)),
    }
}
