//! The JSON Schemas of every event version, as files: what it writes and what it reads.
//!
//! The files are the same on every machine: one generator per event, keys in the order that schemars
//! gives them, two spaces, a line feed at the end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use outbox_runtime::RegistryInfo;

/// A file that is not as the registry says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// The file is missing.
    Missing(PathBuf),
    /// The file says something else.
    Stale(PathBuf),
}

/// The files of a registry's events: `<name>/v<version>.write.json` and `.read.json`, by path, with
/// their contents.
///
/// A `/` in an event's name makes a folder, and `:` stays as it is.
#[must_use]
pub fn files(registry: &RegistryInfo) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    for event in &registry.events {
        let folder = Path::new(event.name);
        for (contract, schema) in
            [("write", (event.write_schema)()), ("read", (event.read_schema)())]
        {
            let path = folder.join(format!("v{}.{contract}.json", event.version));
            files.insert(path, format!("{:#}\n", schema.as_value()));
        }
    }
    files
}

/// Writes the files below `folder`.
///
/// # Errors
///
/// When a file or folder cannot be written.
pub fn generate(registry: &RegistryInfo, folder: &Path) -> io::Result<()> {
    for (path, text) in files(registry) {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text)?;
    }
    Ok(())
}

/// Compares the files below `folder` with the registry; writes nothing.
///
/// # Errors
///
/// When a file cannot be read, other than because it is missing.
pub fn check(registry: &RegistryInfo, folder: &Path) -> io::Result<Vec<Difference>> {
    let mut differences = Vec::new();
    for (path, text) in files(registry) {
        match fs::read_to_string(folder.join(&path)) {
            Ok(found) if found == text => {}
            Ok(_) => differences.push(Difference::Stale(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                differences.push(Difference::Missing(path));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(differences)
}
