//! Packages of the npm registry, of which only the files are wanted: no script of theirs runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::services::apt;

/// Downloads a package, given as `NAME@VERSION`, into `dir`; returns its archive.
pub(crate) fn download(package: &str, dir: &Path) -> Result<PathBuf> {
    let mut pack = Command::new(npm()?);
    pack.args(["pack", "--silent", "--ignore-scripts", package]).current_dir(dir);
    process::output(&mut pack).with_context(|| format!("cannot fetch {package}"))?;
    fs::read_dir(dir)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|end| end == "tgz"))
        .context("npm pack succeeded but left no archive")
}

/// Installs packages, given as `NAME@VERSION`, and what they depend on, into `node_modules` of `dir`.
pub(crate) fn install(packages: &[&str], dir: &Path) -> Result<()> {
    // Without this file npm would look for one further up.
    fs::write(dir.join("package.json"), "{ \"private\": true }\n")?;
    let mut install = Command::new(npm()?);
    install.args(["install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]);
    process::output(install.arg("--no-package-lock").args(packages).current_dir(dir)).map(drop)
}

/// Unpacks an archive in `dir`; returns the directory of the package.
pub(crate) fn unpack(archive: &Path, dir: &Path) -> Result<PathBuf> {
    let mut tar = Command::new("tar");
    tar.args(["--no-same-owner", "-xzf"]).arg(archive).arg("-C").arg(dir);
    process::output(&mut tar)?;
    Ok(dir.join("package"))
}

fn npm() -> Result<PathBuf> {
    if let Some(npm) = process::find_in_path("npm") {
        return Ok(npm);
    }
    if !apt::can_install() {
        bail!(
            "this is fetched with npm, which is not installed: install it \
             (Debian: sudo apt-get install npm), or run as root to have it installed"
        );
    }
    // Node.js trusts the system's certificates, which apt would only recommend.
    apt::install(&["npm", "ca-certificates"])?;
    process::find_in_path("npm").context("npm is installed but not in PATH")
}
