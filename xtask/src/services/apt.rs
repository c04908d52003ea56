//! Installing Debian packages, on machines where that is ours to do.
//!
//! Only a run as root installs anything: that is a container or a CI machine, while a person's
//! own machine is left to the person.

use std::process::Command;

use anyhow::{Context, Result};

use super::account;
use crate::process;

/// Whether packages can be installed here.
pub(crate) fn can_install() -> bool {
    account::is_root() && process::find_in_path("apt-get").is_some()
}

/// Installs packages and what they depend on, without asking questions. A new machine has no
/// package lists, so they are fetched first.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let install = || -> Result<()> {
        process::run(apt_get().arg("update"))?;
        process::run(apt_get().args(["install", "--yes", "--no-install-recommends"]).args(packages))
    };
    install().with_context(|| format!("cannot install {} with apt-get", packages.join(", ")))
}

/// A new machine may still be updating itself: wait for the lock instead of failing.
fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command.args(["--quiet", "--option", "DPkg::Lock::Timeout=300"]);
    command
}
