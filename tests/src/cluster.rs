//! Postgres clusters of a test's own, for faults that hit a whole server.
//!
//! The binaries are those of `OUTBOX_TEST_PG_BIN`, which `cargo xtask services` sets. A cluster must
//! not outlive its test, however that ends: a shell process watches a pipe that only this process
//! holds, and stops the server when the pipe closes.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// Arguments: the directory of binaries, the cluster's directory.
const GUARD: &str = r#"
trap '' HUP INT TERM
cat >/dev/null
[ ! -f "$2/data/postmaster.pid" ] || "$1/pg_ctl" --pgdata="$2/data" --mode=immediate --wait stop
rm -rf "$2"
"#;

/// A running cluster; gone when this is dropped.
#[derive(Debug)]
pub struct Cluster {
    bin: PathBuf,
    directory: TempDir,
    guard: Child,
    port: u16,
}

/// Where a cluster's transaction ids begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// As in every new cluster.
    Low,
    /// Higher than those of any cluster that was not told so.
    High,
}

impl Cluster {
    /// Makes and starts a cluster.
    ///
    /// # Errors
    ///
    /// When `OUTBOX_TEST_PG_BIN` is not set, or what Postgres says.
    pub fn start(ids: Ids) -> Result<Self> {
        let bin = std::env::var("OUTBOX_TEST_PG_BIN")
            .context("set OUTBOX_TEST_PG_BIN to the directory of Postgres binaries")?;
        let bin = PathBuf::from(bin);
        let directory = TempDir::with_prefix_in("outbox-cluster-", "/tmp")?;
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700))?;
        if let Some((uid, gid)) = account()? {
            chown(directory.path(), Some(uid), Some(gid))?;
        }
        let mut guard = Command::new("sh");
        guard.args(["-c", GUARD, "guard"]).arg(&bin).arg(directory.path()).process_group(0);
        guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let guard = as_account(&mut guard, directory.path())?.spawn()?;
        let mut cluster = Self { bin, directory, guard, port: 0 };
        cluster.init(ids)?;
        cluster.serve()?;
        Ok(cluster)
    }

    /// The superuser's address of a database.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        url(self.port, database)
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Copies a database of this cluster into a new one of another cluster, as people do.
    ///
    /// # Errors
    ///
    /// What `pg_dump` or `psql` say.
    pub fn dump_into(&self, other: &Self, database: &str) -> Result<()> {
        let file = self.directory.path().join("dump.sql");
        other.run("createdb", |command| {
            command.args(["--maintenance-db", &other.url("postgres"), database])
        })?;
        self.run("pg_dump", |command| {
            command.arg("--dbname").arg(self.url(database)).arg("--file").arg(&file)
        })?;
        // The other one reads it as the same user.
        other.run("psql", |command| {
            command.args(["--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", "--dbname"]);
            command.arg(other.url(database)).arg("--file").arg(&file)
        })
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn init(&self, ids: Ids) -> Result<()> {
        self.run("initdb", |command| {
            command.arg("--pgdata").arg(self.data());
            command.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]);
            command.arg("--no-sync")
        })?;
        if ids == Ids::High {
            self.run("pg_resetwal", |command| command.arg("--epoch=3").arg(self.data()))?;
        }
        let mut settings =
            OpenOptions::new().append(true).open(self.data().join("postgresql.conf"))?;
        writeln!(settings, "listen_addresses = '127.0.0.1'")?;
        writeln!(settings, "unix_socket_directories = '{}'", self.directory.path().display())?;
        writeln!(settings, "max_connections = 100\nfsync = off")?;
        Ok(())
    }

    /// A port that is free when it is chosen may be taken when the server asks for it.
    fn serve(&mut self) -> Result<()> {
        let mut tries = 0;
        loop {
            tries += 1;
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let started = self.run("pg_ctl", |command| {
                command.arg("--pgdata").arg(self.data());
                command.arg("--log").arg(self.directory.path().join("log"));
                command.args(["--wait", "--silent", "--options", &format!("-p {port}"), "start"])
            });
            match started {
                Ok(()) => {
                    self.port = port;
                    return Ok(());
                }
                Err(error) if tries == 5 => return Err(error),
                Err(_) => {}
            }
        }
    }

    fn run(&self, program: &str, with: impl FnOnce(&mut Command) -> &mut Command) -> Result<()> {
        let mut command = Command::new(self.bin.join(program));
        // The server would keep a pipe open for ever.
        let errors = self.directory.path().join(format!("{program}.err"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(&errors)?);
        as_account(with(&mut command), self.directory.path())?;
        let status = command.status().with_context(|| format!("cannot run {program}"))?;
        if !status.success() {
            bail!("{program}: {status}: {}", fs::read_to_string(&errors).unwrap_or_default());
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // The guard ends after the server. If it cannot be waited for, it does so unobserved.
        let _ = self.guard.wait();
    }
}

/// The superuser's address of a database behind a port of this machine.
#[must_use]
pub fn url(port: u16, database: &str) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/{database}?sslmode=disable")
}

/// Makes a command run as the server's user, with no setting of the user's own Postgres.
fn as_account<'c>(command: &'c mut Command, directory: &Path) -> Result<&'c mut Command> {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(name);
        }
    }
    command.env("LC_ALL", "C").current_dir(directory);
    if let Some((uid, gid)) = account()? {
        command.uid(uid).gid(gid).env("HOME", directory);
    }
    Ok(command)
}

/// The user to become: Postgres refuses to run as root.
fn account() -> Result<Option<(u32, u32)>> {
    use std::os::unix::fs::MetadataExt;
    if fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let passwd = fs::read_to_string("/etc/passwd")?;
    let find = |name: &str| {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut ids = line.split(':').skip(2).map(|id| id.parse::<u32>().ok());
        Some((ids.next()??, ids.next()??))
    };
    let account = find("postgres").or_else(|| find("nobody"));
    Ok(Some(account.context("this machine has no user that could run Postgres")?))
}
