//! A PgBouncer in front of the tests' Postgres, for one test.

use std::fs::{self, File};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use outbox_runtime::Postgres;
use outbox_runtime::testing::TestDatabase;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::wait::DEADLINE;

/// Stops the server when the test ends, however it ends: its end of the pipe is closed then.
const GUARD: &str = r#"
trap '' HUP INT TERM
"$@" &
cat >/dev/null
kill -KILL $! 2>/dev/null
wait
"#;

/// A port that is free when it is chosen may be taken when the server asks for it.
const PORTS_TO_TRY: u32 = 5;

/// A PgBouncer whose pools are in transaction mode.
#[derive(Debug)]
pub struct PgBouncer {
    port: u16,
    guard: Child,
    _folder: tempfile::TempDir,
}

impl PgBouncer {
    /// Starts one that shares this many server connections among all clients of a database. In its
    /// configuration, `settings` come last.
    ///
    /// # Errors
    ///
    /// When `OUTBOX_TEST_PGBOUNCER` does not name the program, or it does not start.
    pub fn start(server_connections: u32, settings: &str) -> Result<Self> {
        let program = std::env::var("OUTBOX_TEST_PGBOUNCER").context(
            "set OUTBOX_TEST_PGBOUNCER to the program `pgbouncer` (Debian: apt-get install \
             pgbouncer, then /usr/sbin/pgbouncer), or run the tests with `cargo xtask test`",
        )?;
        let mut said = String::new();
        for _ in 0..PORTS_TO_TRY {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let folder = tempfile::Builder::new().prefix("outbox-pgbouncer").tempdir()?;
            let config = folder.path().join("pgbouncer.ini");
            fs::write(&config, configuration(port, server_connections, settings)?)?;
            let log = folder.path().join("log");
            let mut command = Command::new("sh");
            command.args(["-c", GUARD, "guard", &program]);
            if is_root()? {
                command.args(["-u", "nobody"]);
            }
            command.arg(&config).stdin(Stdio::piped()).stdout(Stdio::null());
            // Away from the terminal's Ctrl-C, which is for the tests.
            let guard = command.stderr(File::create(&log)?).process_group(0).spawn()?;
            let server = Self { port, guard, _folder: folder };
            if server.answers(&log)? {
                return Ok(server);
            }
            said = fs::read_to_string(&log)?;
        }
        bail!("PgBouncer does not start; it said:\n{said}")
    }

    /// How to reach a database through it.
    ///
    /// # Errors
    ///
    /// When the database's URL is not one of Postgres.
    pub fn options(&self, database: &TestDatabase<Postgres>) -> Result<PgConnectOptions> {
        let options: PgConnectOptions = database.url().parse()?;
        Ok(options.host("127.0.0.1").port(self.port).ssl_mode(PgSslMode::Disable))
    }

    fn answers(&self, log: &std::path::Path) -> Result<bool> {
        let started = std::time::Instant::now();
        while started.elapsed() < DEADLINE {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return Ok(true);
            }
            let said = fs::read_to_string(log)?;
            if said.contains("FATAL") || said.contains("not found") {
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(false)
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // If the guard cannot be waited for, it ends unobserved.
        let _ = self.guard.wait();
    }
}

/// It logs in with the account of `DATABASE_URL` and takes its own clients as they come: both are
/// on this machine's loopback, for one test.
fn configuration(port: u16, server_connections: u32, settings: &str) -> Result<String> {
    let url = std::env::var("DATABASE_URL").context("DATABASE_URL is not set")?;
    let server: PgConnectOptions = url.parse()?;
    let host = match server.get_socket() {
        Some(folder) => folder.display().to_string(),
        None => server.get_host().to_owned(),
    };
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let password = password(&url).map(|password| format!("password={}", quoted(&password)));
    Ok(format!(
        "[databases]\n\
         * = host={} port={} user={} {}\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         auth_type = any\n\
         pool_mode = transaction\n\
         default_pool_size = {server_connections}\n\
         max_client_conn = 500\n\
         ignore_startup_parameters = extra_float_digits\n\
         {settings}\n",
        quoted(&host),
        server.get_port(),
        quoted(server.get_username()),
        password.unwrap_or_default(),
    ))
}

/// The password in a URL, which sqlx does not give away.
fn password(url: &str) -> Option<String> {
    let authority = url.split_once("://")?.1.split(['/', '?']).next()?;
    let (_, encoded) = authority.rsplit_once('@')?.0.split_once(':')?;
    let mut bytes = encoded.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        let hex = |byte: Option<u8>| char::from(byte?).to_digit(16);
        match byte {
            b'%' => decoded.push((hex(bytes.next())? * 16 + hex(bytes.next())?) as u8),
            _ => decoded.push(byte),
        }
    }
    String::from_utf8(decoded).ok()
}

/// PgBouncer refuses to run as root.
fn is_root() -> io::Result<bool> {
    let output = Command::new("id").arg("-u").output()?;
    Ok(output.stdout.trim_ascii() == b"0")
}

#[cfg(test)]
mod tests {
    use super::password;

    #[test]
    fn a_password_is_decoded() {
        for (url, expected) in [
            ("postgres://me:s%40cret@host:1/db", Some("s@cret")),
            ("postgres://me:plain@host?sslmode=disable", Some("plain")),
            ("postgres://me@host/db", None),
            ("postgres://host/a:b@c", None),
        ] {
            assert_eq!(password(url).as_deref(), expected, "{url}");
        }
    }
}
