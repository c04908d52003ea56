//! A Python that has moto, which stands in for AWS in the tests of `outbox-codegen`: the one of
//! `OUTBOX_TEST_PYTHON`, else a virtual environment that is made in the build directory.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::apt;
use crate::{installed, process, workspace};

const PACKAGES: [&str; 3] = ["moto[events]==5.2.5", "boto3==1.44.8", "jsonschema==4.26.0"];
const PYTHON: &str = "bin/python";

/// Where the program is.
pub(super) fn program() -> Result<PathBuf> {
    if let Some(python) = env::var_os("OUTBOX_TEST_PYTHON") {
        return Ok(python.into());
    }
    let tools = workspace::target_dir().join("tools");
    let dir = installed::once(&tools, "python", &PACKAGES, install).context(
        "the tests give documents to moto; without a network, set OUTBOX_TEST_PYTHON to a Python \
         that has it",
    )?;
    Ok(dir.join(PYTHON))
}

/// Downloads a package, given as `NAME==VERSION`, of Linux on x86_64 into an empty directory; returns
/// its archive, of which nothing is run.
pub(crate) fn download(package: &str, dir: &Path) -> Result<PathBuf> {
    let mut pip = Command::new(program()?);
    pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    // The same archive whatever Python is here.
    pip.args(["--only-binary=:all:", "--platform=manylinux_2_28_x86_64", "--python-version=3.11"]);
    process::output(pip.arg("--dest").arg(dir).arg(package))
        .with_context(|| format!("cannot fetch {package}"))?;
    let mut entries = fs::read_dir(dir)?;
    Ok(entries.next().context("pip succeeded but left no archive")??.path())
}

/// Unpacks an archive in `dir`. The files have no permissions to be run.
pub(crate) fn unpack(archive: &Path, dir: &Path) -> Result<()> {
    let mut unzip = Command::new(program()?);
    process::output(unzip.args(["-m", "zipfile", "-e"]).arg(archive).arg(dir)).map(drop)
}

fn install(dir: &Path) -> Result<()> {
    process::output(Command::new(base()?).args(["-m", "venv"]).arg(dir))?;
    let mut pip = Command::new(dir.join(PYTHON));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(PACKAGES);
    process::output(&mut pip).map(drop)
}

/// A Python that can make virtual environments.
fn base() -> Result<PathBuf> {
    if let Some(python) = usable() {
        return Ok(python);
    }
    if !apt::can_install() {
        bail!(
            "there is no Python 3 with `venv` on this machine: install it (Debian: sudo apt-get \
             install python3-venv), or run as root on Debian to have it installed"
        );
    }
    apt::install(&["python3-venv"])?;
    usable().context("apt-get installed python3-venv, but python3 cannot make environments")
}

fn usable() -> Option<PathBuf> {
    let python = process::find_in_path("python3")?;
    let check = ["-c", "import venv, ensurepip"];
    process::output(Command::new(&python).args(check)).ok().map(|_| python)
}
