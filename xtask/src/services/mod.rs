//! What the tests need around them: a Postgres server, PgBouncer, the real webhook payloads, and the
//! programs that read documents.
//!
//! A step learns of them through environment variables, so that `cargo test` in a terminal that
//! has the same variables runs the same tests:
//!
//! | variable | holds |
//! | --- | --- |
//! | `DATABASE_URL` | a superuser's address on a scratch Postgres server |
//! | `OUTBOX_TEST_PG_BIN` | the directory of Postgres binaries, when this machine has them |
//! | `OUTBOX_TEST_FAKETIME` | the library that tells a process another time |
//! | `OUTBOX_TEST_NODE_MODULES` | the npm packages that read documents |
//! | `OUTBOX_TEST_PGBOUNCER` | the program `pgbouncer` |
//! | `OUTBOX_TEST_PYTHON` | a Python that has moto |
//! | `OUTBOX_TEST_WEBHOOKS` | the directory of real GitHub payloads |
//! | `OUTBOX_TEST_CHROMIUM` | the program `chromium` |
//! | `OUTBOX_TEST_DOT` | the program `dot` of Graphviz |
//! | `OUTBOX_TEST_MERMAID` | Mermaid's script for browsers |

mod account;
pub(crate) mod apt;
mod faketime;
mod node_modules;
mod pgbouncer;
mod pictures;
mod postgres;
pub(crate) mod python;

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::process;
use crate::webhooks;
use crate::workspace;

use self::pictures::Pictures;
use self::postgres::Postgres;

/// The running services; they stop when this is dropped.
pub(crate) struct Services {
    postgres: Postgres,
    faketime: PathBuf,
    node_modules: PathBuf,
    pgbouncer: PathBuf,
    python: PathBuf,
    webhooks: PathBuf,
    pictures: Pictures,
}

/// `cargo xtask services`: runs a command with the services, or holds them open.
pub(crate) fn run(command: &[OsString]) -> Result<()> {
    let services = Services::start()?;
    if let [program, arguments @ ..] = command {
        return process::run(services.environment(Command::new(program).args(arguments)));
    }
    for (name, value) in services.variables() {
        println!("export {name}='{}'", value.display());
    }
    println!("# running until Ctrl-C or the end of input");
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}

impl Services {
    /// Starts or finds everything, or says what is missing.
    pub(crate) fn start() -> Result<Self> {
        Self::with_settings(&[])
    }

    /// Starts or finds everything; a server that is started has these lines in its `postgresql.conf`.
    pub(crate) fn with_settings(settings: &[&str]) -> Result<Self> {
        Self::with(|| Postgres::start(settings))
    }

    /// Starts everything, with a server made of the programs in a directory, whatever
    /// `DATABASE_URL` says.
    pub(crate) fn with_postgres(programs: PathBuf) -> Result<Self> {
        Self::with(|| Postgres::of_programs(programs))
    }

    fn with(postgres: impl FnOnce() -> Result<Postgres>) -> Result<Self> {
        Ok(Self {
            webhooks: webhooks::fetch()?,
            faketime: faketime::library()?,
            pgbouncer: pgbouncer::program()?,
            node_modules: node_modules::folder()?,
            python: python::program()?,
            pictures: Pictures::find()?,
            postgres: postgres()?,
        })
    }

    /// A superuser's address on the server.
    pub(crate) fn database_url(&self) -> &str {
        &self.postgres.url
    }

    /// The directory of real payloads.
    pub(crate) fn webhooks(&self) -> &Path {
        &self.webhooks
    }

    /// A `cargo` whose tests find the services.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = workspace::cargo();
        self.environment(&mut command);
        command
    }

    fn environment<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.envs(self.variables())
    }

    fn variables(&self) -> impl Iterator<Item = (&'static str, &OsStr)> {
        let bin = self.postgres.bin.as_ref().map(|bin| ("OUTBOX_TEST_PG_BIN", bin.as_os_str()));
        let always = [
            ("DATABASE_URL", OsStr::new(&self.postgres.url)),
            ("OUTBOX_TEST_FAKETIME", self.faketime.as_os_str()),
            ("OUTBOX_TEST_NODE_MODULES", self.node_modules.as_os_str()),
            ("OUTBOX_TEST_PGBOUNCER", self.pgbouncer.as_os_str()),
            ("OUTBOX_TEST_PYTHON", self.python.as_os_str()),
            ("OUTBOX_TEST_WEBHOOKS", self.webhooks.as_os_str()),
        ];
        always.into_iter().chain(bin).chain(self.pictures.variables())
    }
}
