//! The Rust files of a folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub(super) struct File {
    pub(super) path: PathBuf,
    /// The path below the folder, with `/`.
    pub(super) shown: String,
    pub(super) text: String,
}

/// What cargo writes into a folder of things that it built.
const BUILT: &str = "CACHEDIR.TAG";

/// Every file that ends in `.rs`, but for what is hidden or built.
pub(super) fn read(folder: &Path) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    read_below(folder, "", &mut files)?;
    Ok(files)
}

fn read_below(folder: &Path, prefix: &str, files: &mut Vec<File>) -> io::Result<()> {
    let in_file = |path: &Path, error: io::Error| {
        io::Error::new(error.kind(), format!("cannot read {}: {error}", path.display()))
    };
    for entry in fs::read_dir(folder).map_err(|error| in_file(folder, error))? {
        let entry = entry.map_err(|error| in_file(folder, error))?;
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let shown = format!("{prefix}{name}");
        if name.starts_with('.') || path.join(BUILT).exists() {
            continue;
        }
        if path.is_dir() {
            read_below(&path, &format!("{shown}/"), files)?;
        } else if name.ends_with(".rs") {
            let bytes = fs::read(&path).map_err(|error| in_file(&path, error))?;
            // What is no UTF-8 is no Rust, which is for the parser to say.
            let text = String::from_utf8_lossy(&bytes).into_owned();
            files.push(File { path, shown, text });
        }
    }
    Ok(())
}
