//! libfaketime, with which tests set the clocks of their workers: the one of `OUTBOX_TEST_FAKETIME`,
//! else the one on this machine, else the one that apt-get installs, else an error that says what
//! to do.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::apt;

/// Where Debian has it, below a folder for the machine's architecture.
const DEBIAN: &str = "/usr/lib";
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// Where the library is.
pub(super) fn library() -> Result<PathBuf> {
    if let Some(path) = env::var_os("OUTBOX_TEST_FAKETIME") {
        return Ok(path.into());
    }
    find(Path::new(DEBIAN)).map_or_else(install, Ok)
}

fn install() -> Result<PathBuf> {
    ensure!(
        apt::can_install(),
        "the tests set the clocks of their workers with libfaketime, and this machine has none. Do \
         one of these:\n  \
         - install it (Debian: sudo apt-get install libfaketime)\n  \
         - set OUTBOX_TEST_FAKETIME to the path of its libfaketimeMT.so.1\n  \
         - run as root on Debian, to have it installed"
    );
    println!("    libfaketime is not on this machine: installing it");
    apt::install(&["libfaketime"])?;
    find(Path::new(DEBIAN)).context("apt-get installed libfaketime, but not where Debian has it")
}

fn find(lib: &Path) -> Option<PathBuf> {
    let folders = fs::read_dir(lib).ok()?.filter_map(Result::ok);
    folders.map(|folder| folder.path().join(LIBRARY)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn it_is_found_whatever_the_architecture() {
        let lib = Scratch::new("outbox-faketime").expect("a temporary directory");
        assert_eq!(find(lib.path()), None);
        let library = lib.path().join("riscv64-linux-gnu").join(LIBRARY);
        fs::create_dir_all(library.parent().expect("a folder")).expect("a folder");
        fs::write(&library, "").expect("a file");
        assert_eq!(find(lib.path()), Some(library));
    }
}
