//! The contestants of this program: this project, the raw loops, and no events at all.

mod database;
mod kept;
mod none;
mod ours;
mod raw;
mod reads;

use anyhow::Result;
use clap::ValueEnum;
use outbox_contest::{Action, Task, play};
use sqlx::{Postgres, Sqlite};

use self::none::None;
use self::raw::Raw;
use self::reads::Reads;

/// Which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Name {
    /// This project.
    Outbox,
    /// A loop that reads and writes 1,000 rows at a time.
    Raw,
    /// The same with 100.
    #[value(name = "raw-100")]
    Raw100,
    /// The same with 1,000, and a `NOTIFY` in each transaction that emits.
    RawNotify,
    /// The application's own row and no event: what a transaction costs.
    None,
}

/// How they are called, of those that there are on a database.
pub(crate) fn names(postgres: bool) -> impl Iterator<Item = String> {
    let there =
        Name::value_variants().iter().filter(move |name| postgres || **name != Name::RawNotify);
    there.filter_map(Name::to_possible_value).map(|value| value.get_name().to_owned())
}

/// Does a task as one of them.
pub(crate) async fn run(name: Name, task: Task) -> Result<()> {
    if !matches!(task.action, Action::Drain { time_reads: true, .. }) {
        return run_as(name, task).await;
    }
    let reads = Reads::watch()?;
    run_as(name, task).await?;
    reads.said()?.say()
}

async fn run_as(name: Name, task: Task) -> Result<()> {
    let sqlite = task.setup.url.starts_with("sqlite:");
    match (name, sqlite) {
        (Name::Outbox, false) => ours::on_postgres(task).await,
        (Name::Outbox, true) => ours::on_sqlite(task).await,
        (Name::Raw, false) => play::<Raw<Postgres, 1_000>>(task).await,
        (Name::Raw100, false) => play::<Raw<Postgres, 100>>(task).await,
        (Name::RawNotify, false) => play::<Raw<Postgres, 1_000, true>>(task).await,
        (Name::Raw, true) => play::<Raw<Sqlite, 1_000>>(task).await,
        (Name::RawNotify, true) => anyhow::bail!("SQLite has no `NOTIFY`"),
        (Name::Raw100, true) => play::<Raw<Sqlite, 100>>(task).await,
        (Name::None, false) => play::<None<Postgres>>(task).await,
        (Name::None, true) => play::<None<Sqlite>>(task).await,
    }
}
