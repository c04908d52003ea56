//! PgBouncer, which tests put in front of the Postgres server: the program that
//! `OUTBOX_TEST_PGBOUNCER` names, else the one on this machine, else the one that apt-get installs, else
//! an error that says what to do. Each test starts one of its own.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::apt;
use crate::process;

/// Where Debian puts it, which is not in everybody's `PATH`.
const DEBIAN: &str = "/usr/sbin/pgbouncer";

/// The program.
pub(super) fn program() -> Result<PathBuf> {
    let named = env::var_os("OUTBOX_TEST_PGBOUNCER").map(PathBuf::from);
    let program = named.or_else(find).map_or_else(install, Ok)?;
    let version = process::output(Command::new(&program).arg("--version"))
        .with_context(|| format!("{} is not PgBouncer", program.display()))?;
    println!("    {}", version.lines().next().unwrap_or("PgBouncer"));
    Ok(program)
}

fn find() -> Option<PathBuf> {
    let debian = PathBuf::from(DEBIAN);
    process::find_in_path("pgbouncer").or_else(|| debian.is_file().then_some(debian))
}

fn install() -> Result<PathBuf> {
    ensure!(
        apt::can_install(),
        "the tests need PgBouncer, and this machine has none. Do one of these:\n  \
         - install it (Debian: sudo apt-get install pgbouncer; macOS: brew install pgbouncer)\n  \
         - set OUTBOX_TEST_PGBOUNCER to the program\n  \
         - run as root on Debian, to have it installed"
    );
    println!("    PgBouncer is not on this machine: installing it");
    // Debian may start one of its own on port 6432. It is left alone.
    apt::install(&["pgbouncer"])?;
    find().context("apt-get installed PgBouncer, but it is nowhere to be found")
}
