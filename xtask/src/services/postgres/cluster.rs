//! A Postgres cluster in a temporary directory, for one run.
//!
//! It must not outlive the run, however the run ends. Stopping it on drop is not enough: Ctrl-C
//! and `kill -9` drop nothing. So a small shell process watches a pipe that only this process
//! holds open; when the pipe closes, for whatever reason, it stops the server and removes the
//! directory. Drop closes the pipe and waits, which makes every ending the same ending.
//!
//! Connections over TCP need the password (`scram-sha-256`), so that a test can show what a wrong
//! one does; those over the socket in the directory do not. Everything else is as Postgres has it
//! by default, durability included, since crashes are among the things tested, unless whoever starts
//! it asks for other settings.

use std::env;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use super::binaries::Binaries;
use crate::process;
use crate::scratch::Scratch;
use crate::services::account::{self, Account};

/// Arguments: the directory of binaries, the cluster's directory. Signals meant for the run (it is
/// in a process group of its own, but a session may end) must not stop it before its work is done.
const GUARD: &str = r#"
trap '' HUP INT TERM
cat >/dev/null
[ ! -f "$2/data/postmaster.pid" ] ||
    "$1/pg_ctl" --pgdata="$2/data" --mode=fast --wait --timeout=30 stop ||
    "$1/pg_ctl" --pgdata="$2/data" --mode=immediate --wait stop
rm -rf "$2"
"#;
/// A port that is free when it is chosen may be taken when the server asks for it.
const PORTS_TO_TRY: u32 = 5;

/// A running server; it is stopped, and all its files are removed, on drop.
pub(super) struct Cluster {
    password: String,
    port: u16,
    guard: Child,
    /// After the guard in order of drop: removes what the guard could not.
    _directory: Scratch,
}

impl Cluster {
    /// Makes and starts a cluster; `settings` are lines of its `postgresql.conf`.
    pub(super) fn start(binaries: &Binaries, settings: &[&str]) -> Result<Self> {
        let account = account::for_server()?;
        let directory = directory(account.as_ref())?;
        let place = Place { binaries, account, path: directory.path().to_owned() };
        let guard = place.guard().context("cannot start the guard of the Postgres server")?;
        let password = random_password()?;
        let mut cluster = Self { password, port: 0, guard, _directory: directory };
        place.init(&cluster.password, settings).context("cannot create a Postgres cluster")?;
        cluster.port = place.serve().context("cannot start the Postgres server")?;
        Ok(cluster)
    }

    /// The superuser's address.
    pub(super) fn url(&self) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}/postgres", self.password, self.port)
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // The guard ends after the server. If it cannot be waited for, it does so unobserved.
        let _ = self.guard.wait();
    }
}

/// What the steps of starting a cluster have in common.
struct Place<'a> {
    binaries: &'a Binaries,
    account: Option<Account>,
    path: PathBuf,
}

impl Place<'_> {
    fn guard(&self) -> Result<Child> {
        let mut guard = Command::new("sh");
        guard.args(["-c", GUARD, "guard"]).arg(&self.binaries.dir).arg(&self.path);
        guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Away from the terminal's Ctrl-C, which is for the run: the guard acts on its end.
        Ok(self.as_account(guard.process_group(0)).spawn()?)
    }

    fn init(&self, password: &str, settings: &[&str]) -> Result<()> {
        let password_file = self.path.join("password");
        let mut file = File::create(&password_file)?;
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        writeln!(file, "{password}")?;
        self.own(&password_file)?;

        let mut initdb = self.binaries.command("initdb");
        initdb.arg("--pgdata").arg(self.data()).arg("--pwfile").arg(&password_file);
        initdb.args(["--username=postgres", "--auth-host=scram-sha-256", "--auth-local=trust"]);
        initdb.args(["--encoding=UTF8", "--locale=C", "--no-sync"]);
        process::output(self.as_account(&mut initdb))?;
        fs::remove_file(&password_file)?;

        let mut file = OpenOptions::new().append(true).open(self.data().join("postgresql.conf"))?;
        writeln!(file, "listen_addresses = '127.0.0.1'")?;
        writeln!(file, "unix_socket_directories = '{}'", self.path.display())?;
        // Tests run side by side, each with pools of its own.
        writeln!(file, "max_connections = 300")?;
        for setting in settings {
            writeln!(file, "{setting}")?;
        }
        Ok(())
    }

    /// Starts the server and waits until it answers; returns its port.
    fn serve(&self) -> Result<u16> {
        let log = self.path.join("log");
        let mut failure = None;
        for _ in 0..PORTS_TO_TRY {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let mut start = self.binaries.command("pg_ctl");
            start.arg("--pgdata").arg(self.data()).arg("--log").arg(&log);
            start.args(["--wait", "--timeout=60", "--silent", "--options", &format!("-p {port}")]);
            match process::output(self.as_account(start.arg("start"))) {
                Ok(_) => return Ok(port),
                Err(error) => failure = Some(error),
            }
            let said = fs::read_to_string(&log).unwrap_or_default();
            if !said.contains("could not bind") {
                failure = failure.map(|error| error.context(format!("the server said:\n{said}")));
                break;
            }
        }
        Err(failure.context("no port was tried")?)
    }

    fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// Makes a command run as the server's user and in the server's directory, with messages in
    /// English and no setting of the user's own Postgres.
    fn as_account<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        for (name, _) in env::vars_os().filter(|(name, _)| is_postgres_variable(name)) {
            command.env_remove(name);
        }
        command.env("LC_ALL", "C").current_dir(&self.path);
        if let Some(Account { name, uid, gid }) = &self.account {
            command.uid(*uid).gid(*gid).env("HOME", &self.path).env("USER", name);
        }
        command
    }

    fn own(&self, path: &Path) -> Result<()> {
        own(path, self.account.as_ref())
    }
}

/// `PGDATA`, `PGPORT` and the like, which the programs would obey.
fn is_postgres_variable(name: &OsStr) -> bool {
    name.to_string_lossy().starts_with("PG")
}

/// A directory of the server's own. As another user, only `/tmp` is sure to be reachable: the
/// directory that `TMPDIR` names may be root's alone.
fn directory(account: Option<&Account>) -> Result<Scratch> {
    let directory = match account {
        Some(_) => Scratch::in_dir(Path::new("/tmp"), "outbox-pg")?,
        None => Scratch::new("outbox-pg")?,
    };
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700))?;
    own(directory.path(), account)?;
    Ok(directory)
}

fn own(path: &Path, account: Option<&Account>) -> Result<()> {
    let Some(Account { name, uid, gid }) = account else { return Ok(()) };
    chown(path, Some(*uid), Some(*gid))
        .with_context(|| format!("cannot give {} to {name}", path.display()))
}

fn random_password() -> Result<String> {
    let mut bytes = [0_u8; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let mut password = String::new();
    for byte in bytes {
        write!(password, "{byte:02x}")?;
    }
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_long_and_differ() {
        let one = random_password().expect("random bytes");
        let other = random_password().expect("random bytes");
        assert_eq!(one.len(), 32);
        assert_ne!(one, other);
    }
}
