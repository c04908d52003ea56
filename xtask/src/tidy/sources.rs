//! The files that the rules are about.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Directories of other people's or generated files. The programs in `tests/ui` are wrong on
/// purpose.
const SKIPPED: [&str; 4] = ["target", "node_modules", "tests/ui", "outbox-macros/goldens/src"];
const KINDS: [&str; 4] = ["rs", "sql", "toml", "md"];

/// A file of the repository.
pub(super) struct Source {
    /// Relative to the repository, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

impl Source {
    /// The part of the file's name after the last dot.
    pub(super) fn kind(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(_, kind)| kind)
    }
}

/// Reads all files that a rule applies to, in the order of their paths.
pub(super) fn read(root: &Path) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    read_dir(root, "", &mut sources)?;
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn read_dir(dir: &Path, prefix: &str, sources: &mut Vec<Source>) -> Result<()> {
    let cannot_read = || format!("cannot read {}", dir.display());
    for entry in fs::read_dir(dir).with_context(cannot_read)? {
        let entry = entry.with_context(cannot_read)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if name.starts_with('.') || SKIPPED.contains(&path.as_str()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            read_dir(&entry.path(), &format!("{path}/"), sources)?;
            continue;
        }
        let mut source = Source { path, text: String::new() };
        if KINDS.contains(&source.kind()) {
            source.text = fs::read_to_string(entry.path())
                .with_context(|| format!("cannot read {} as text", source.path))?;
            sources.push(source);
        }
    }
    Ok(())
}
