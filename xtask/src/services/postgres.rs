//! A Postgres server for the tests: the one that `DATABASE_URL` names, else a throw-away cluster
//! from binaries on this machine, else from binaries that apt-get installs, else an error that
//! says what to do. Tests that need Postgres are never skipped.

mod binaries;
mod cluster;

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use self::binaries::Binaries;
use self::cluster::Cluster;
use super::apt;

/// A server the tests may do anything with.
pub(super) struct Postgres {
    /// A superuser's address.
    pub(super) url: String,
    /// The directory of Postgres binaries, when this machine has them.
    pub(super) bin: Option<PathBuf>,
    /// The server, if it is ours: stopped on drop.
    _cluster: Option<Cluster>,
}

impl Postgres {
    /// The settings are for a server that this starts: one that `DATABASE_URL` names keeps its own.
    pub(super) fn start(settings: &[&str]) -> Result<Self> {
        if let Ok(url) = env::var("DATABASE_URL") {
            return Self::of_url(url);
        }
        Self::of_binaries(binaries::find().map_or_else(install, Ok)?, settings)
    }

    /// A cluster of the programs in this directory.
    pub(super) fn of_programs(dir: PathBuf) -> Result<Self> {
        let shown = dir.display().to_string();
        let binaries = binaries::supported(dir);
        Self::of_binaries(binaries.with_context(|| format!("no Postgres runs in {shown}"))?, &[])
    }

    fn of_binaries(binaries: Binaries, settings: &[&str]) -> Result<Self> {
        let cluster = Cluster::start(&binaries, settings)?;
        println!("    {} on port {}, thrown away afterwards", binaries.version, cluster.port());
        Ok(Self { url: cluster.url(), bin: Some(binaries.dir), _cluster: Some(cluster) })
    }

    fn of_url(url: String) -> Result<Self> {
        ensure!(
            is_postgres(&url),
            "DATABASE_URL is set but does not start with postgres://: point it at a scratch \
             Postgres server on which the tests may create databases, or unset it"
        );
        println!("    the server of DATABASE_URL");
        Ok(Self { url, bin: binaries::find().map(|found| found.dir), _cluster: None })
    }
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

fn install() -> Result<Binaries> {
    ensure!(
        apt::can_install(),
        "the tests need Postgres {} or newer, and this machine has none. Do one of these:\n  \
         - install it (Debian: sudo apt-get install postgresql; macOS: brew install postgresql)\n  \
         - set DATABASE_URL to a superuser's address on a scratch server, for instance:\n    \
         docker run --rm -d -p 5432:5432 -e POSTGRES_PASSWORD=secret postgres:15\n    \
         export DATABASE_URL=postgres://postgres:secret@127.0.0.1:5432/postgres\n  \
         - run as root on Debian, to have it installed",
        binaries::OLDEST
    );
    println!("    Postgres is not on this machine: installing it");
    // Debian also makes and may start a cluster of its own on port 5432. It is left alone: ours
    // has its own directory and port.
    apt::install(&["postgresql"])?;
    binaries::find().with_context(|| {
        let oldest = binaries::OLDEST;
        format!("apt-get installed Postgres, but not version {oldest} or newer: install that one")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_postgres_address_is_taken_from_database_url() {
        assert!(is_postgres("postgres://postgres@localhost/postgres"));
        assert!(is_postgres("postgresql://localhost"));
        assert!(!is_postgres("sqlite://outbox.db"));
        assert!(!is_postgres(""));
    }
}
