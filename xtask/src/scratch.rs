//! A temporary directory that is gone when its value is.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};

/// A directory of its own for one purpose, removed on drop.
pub(crate) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes a directory whose name starts with `prefix` where this machine keeps temporary
    /// files.
    pub(crate) fn new(prefix: &str) -> Result<Self> {
        Self::in_dir(&env::temp_dir(), prefix)
    }

    /// Makes a directory whose name starts with `prefix` in `parent`. Names stay short, because
    /// the path of a unix socket has room for about 100 bytes.
    pub(crate) fn in_dir(parent: &Path, prefix: &str) -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = parent.join(format!("{prefix}-{}-{number}", process::id()));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                // Left by a machine that went down under a process with the same id.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot create {}", path.display()));
                }
            }
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nobody is left to be told, and a forgotten temporary directory harms nothing.
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scratch_directory_goes_with_its_value() {
        let scratch = Scratch::new("outbox-scratch").expect("a temporary directory");
        let path = scratch.path().to_owned();
        fs::write(path.join("file"), "text").expect("a file in it");
        drop(scratch);
        assert!(!path.exists());
    }
}
