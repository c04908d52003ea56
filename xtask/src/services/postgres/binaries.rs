//! Finding the programs of a Postgres server on this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process;

/// Where Debian keeps the servers: a directory for each major version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// What a cluster is made, run and stopped with.
const PROGRAMS: [&str; 3] = ["initdb", "pg_ctl", "postgres"];
/// The oldest major version that Outbox supports.
pub(super) const OLDEST: u32 = 15;

/// A directory with all programs of a server of a supported version.
pub(super) struct Binaries {
    pub(super) dir: PathBuf,
    /// For instance `postgres (PostgreSQL) 15.14`.
    pub(super) version: String,
}

impl Binaries {
    /// A command that runs one of the programs.
    pub(super) fn command(&self, program: &str) -> Command {
        Command::new(self.dir.join(program))
    }
}

/// The server in `PATH`, else the one `pg_config` knows, else Debian's newest.
pub(super) fn find() -> Option<Binaries> {
    let in_path = process::find_in_path("initdb").and_then(|initdb| parent(&initdb));
    let candidates = in_path.into_iter().chain(of_pg_config()).chain(of_debian());
    candidates.into_iter().find_map(supported)
}

/// The programs in a directory, if all are there, run, and are new enough.
pub(super) fn supported(dir: PathBuf) -> Option<Binaries> {
    if !PROGRAMS.iter().all(|program| dir.join(program).is_file()) {
        return None;
    }
    let version = process::output(Command::new(dir.join("postgres")).arg("--version")).ok()?;
    let version = version.trim().to_owned();
    (major(&version)? >= OLDEST).then_some(Binaries { dir, version })
}

/// The major version in what `postgres --version` prints.
fn major(version: &str) -> Option<u32> {
    let (_, number) = version.split_once("(PostgreSQL) ")?;
    let digits = number.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn of_pg_config() -> Option<PathBuf> {
    let pg_config = process::find_in_path("pg_config")?;
    let dir = process::output(Command::new(pg_config).arg("--bindir")).ok()?;
    Some(PathBuf::from(dir.trim()))
}

fn of_debian() -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(DEBIAN) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let newest_first = newest_first(names);
    newest_first.into_iter().map(|version| Path::new(DEBIAN).join(version).join("bin")).collect()
}

/// Version numbers in descending order; 9.6 and its like are too old to be of use.
fn newest_first(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut versions: Vec<u32> = names.filter_map(|name| name.parse().ok()).collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions.into_iter().map(|version| version.to_string()).collect()
}

/// The directory of a program, through the links that package managers put into `PATH`.
fn parent(program: &Path) -> Option<PathBuf> {
    Some(program.canonicalize().ok()?.parent()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_numbers() {
        let names = ["9.6", "15", "9", "17", "notes"].map(str::to_owned);
        assert_eq!(newest_first(names.into_iter()), ["17", "15", "9"]);
    }

    #[test]
    fn the_major_version_is_read_from_releases_and_betas() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 19beta1"), Some(19));
        assert_eq!(major("postgres (PostgreSQL) 9.6.24"), Some(9));
        assert_eq!(major("something else"), None);
    }
}
