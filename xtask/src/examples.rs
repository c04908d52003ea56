//! The examples, run the way a newcomer runs them. An example that is added to the repository is
//! added to [`run`].

use std::ffi::OsStr;

use anyhow::Result;

use crate::process;
use crate::scratch::Scratch;
use crate::services::Services;

/// Runs every example; each must end by itself and with success.
pub(crate) fn run(services: &Services) -> Result<()> {
    quickstart(services)?;
    orders(services)
}

/// The tests and the demonstration on SQLite, as for a newcomer; on Postgres its tests are among all
/// others, with every feature.
fn orders(services: &Services) -> Result<()> {
    let scratch = Scratch::new("outbox-orders")?;
    let url = format!("sqlite://{}?mode=rwc", scratch.path().join("orders.db").display());
    process::run(services.cargo().args(["test", "--quiet", "--package", "orders"]))?;
    example(services, "orders", &["--demo".as_ref(), "--database-url".as_ref(), url.as_ref()])
}

/// The sample webhooks twice, since a second run continues where the first stopped; then the
/// real ones, on both databases.
fn quickstart(services: &Services) -> Result<()> {
    let scratch = Scratch::new("outbox-quickstart")?;
    let samples = scratch.path().join("samples.db");
    let real = scratch.path().join("real.db");
    let webhooks = services.webhooks();

    example(services, "quickstart", &["--database".as_ref(), samples.as_ref()])?;
    example(services, "quickstart", &["--database".as_ref(), samples.as_ref()])?;
    let from = ["--from".as_ref(), webhooks.as_os_str()];
    example(
        services,
        "quickstart",
        &[&from[..], &["--database".as_ref(), real.as_ref()]].concat(),
    )?;
    let url = OsStr::new(services.database_url());
    example(services, "quickstart", &[&from[..], &["--database-url".as_ref(), url]].concat())
}

fn example(services: &Services, package: &str, arguments: &[&OsStr]) -> Result<()> {
    let mut command = services.cargo();
    command.args(["run", "--quiet", "--package", package, "--"]).args(arguments);
    process::run(&mut command)
}
