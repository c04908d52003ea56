//! What draws pictures, so that tests see what people will: Chromium, Graphviz and Mermaid. The first
//! two are the programs that `OUTBOX_TEST_CHROMIUM` and `OUTBOX_TEST_DOT` name, else those on this
//! machine, else those that apt-get installs, else an error that says what to do. Mermaid is the npm
//! package, pinned by version, of which the one file for browsers is kept in the build directory;
//! `OUTBOX_TEST_MERMAID` names another.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::apt;
use crate::npm;
use crate::process;
use crate::scratch::Scratch;
use crate::workspace;

const MERMAID: &str = "mermaid@11.17.2";
/// In the package.
const SCRIPT: &str = "dist/mermaid.min.js";

/// Where the programs and the script are.
pub(super) struct Pictures {
    chromium: PathBuf,
    dot: PathBuf,
    mermaid: PathBuf,
}

impl Pictures {
    /// Finds or fetches everything, or says what is missing.
    pub(super) fn find() -> Result<Self> {
        Ok(Self {
            chromium: program("OUTBOX_TEST_CHROMIUM", "chromium", "chromium")?,
            dot: program("OUTBOX_TEST_DOT", "dot", "graphviz")?,
            mermaid: mermaid()?,
        })
    }

    /// What tests learn of them by.
    pub(super) fn variables(&self) -> [(&'static str, &OsStr); 3] {
        [
            ("OUTBOX_TEST_CHROMIUM", self.chromium.as_os_str()),
            ("OUTBOX_TEST_DOT", self.dot.as_os_str()),
            ("OUTBOX_TEST_MERMAID", self.mermaid.as_os_str()),
        ]
    }
}

fn program(variable: &str, name: &str, package: &str) -> Result<PathBuf> {
    let named = env::var_os(variable).map(PathBuf::from);
    if let Some(program) = named.or_else(|| process::find_in_path(name)) {
        return Ok(program);
    }
    ensure!(
        apt::can_install(),
        "the tests draw pictures with `{name}`, and this machine has none. Do one of these:\n  \
         - install it (Debian: sudo apt-get install {package}; macOS: brew install {package})\n  \
         - set {variable} to the program\n  \
         - run as root on Debian, to have it installed"
    );
    println!("    {name} is not on this machine: installing it");
    apt::install(&[package])?;
    process::find_in_path(name)
        .with_context(|| format!("apt-get installed {package}, but `{name}` is not in PATH"))
}

fn mermaid() -> Result<PathBuf> {
    if let Some(script) = env::var_os("OUTBOX_TEST_MERMAID") {
        return Ok(script.into());
    }
    let dir = workspace::target_dir().join("mermaid");
    let kept = kept(&dir);
    if !kept.is_file() {
        println!("    fetching {MERMAID}");
        fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
        let staging = Scratch::in_dir(&dir, "staging")?;
        let archive = npm::download(MERMAID, staging.path())?;
        let package = npm::unpack(&archive, staging.path())?;
        // Moved to its place when it is whole.
        fs::rename(package.join(SCRIPT), &kept)
            .with_context(|| format!("{MERMAID} has no {SCRIPT}"))?;
    }
    Ok(kept)
}

/// Where the script of this version is kept.
fn kept(dir: &Path) -> PathBuf {
    dir.join(format!("{}.min.js", MERMAID.replace('@', "-")))
}
