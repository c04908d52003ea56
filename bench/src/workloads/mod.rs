//! What is measured. One file for each way of running contestants; `plan.rs` says with which numbers.

mod deliver;
mod drain;
mod emit;
mod idle;
mod plan;
mod scale;

use std::time::Duration;

use anyhow::{Context, Result};
use outbox_contest::Unsupported;
use tokio::time::timeout;

use crate::figures::{Figures, Outcome};
use crate::umpire::{Contestant, Database, Server, Setup, Template};

pub(crate) use self::deliver::Deliver;
pub(crate) use self::drain::Drain;
pub(crate) use self::emit::Emit;
pub(crate) use self::idle::Idle;
pub(crate) use self::plan::{Workload, plan};
pub(crate) use self::scale::Scale;

/// A contestant that takes longer for one run hangs.
const LONGEST: Duration = Duration::from_mins(10);

/// One thing that is measured, with its numbers.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) workload: Workload,
    /// What sets it apart from the other cases of the workload.
    pub(crate) title: String,
    pub(crate) run: Run,
    /// Who takes part.
    pub(crate) entrants: Entrants,
    /// How often, if not as often as everything else.
    pub(crate) rounds: Option<u32>,
}

/// How it is measured.
#[derive(Debug, Clone)]
pub(crate) enum Run {
    Drain(Drain),
    Emit(Emit),
    Deliver(Deliver),
    Scale(Scale),
    Idle(Idle),
}

/// Who takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entrants {
    /// This project, the raw loops named here, and the peers.
    All(&'static [&'static str]),
    /// These, and why the other peers do not.
    Only(&'static [&'static str], &'static str),
}

/// The part of a contestant in a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Plays,
    /// It could, and the table says why it does not.
    IsLeftOut(&'static str),
    /// The case is not about it.
    None,
}

impl Entrants {
    /// That of a contestant, which is a peer or not.
    pub(crate) fn part(self, name: &str, is_peer: bool) -> Part {
        match self {
            Self::All(own) if is_peer || own.contains(&name) => Part::Plays,
            Self::Only(names, _) if names.contains(&name) => Part::Plays,
            Self::Only(_, why) if is_peer => Part::IsLeftOut(why),
            Self::All(_) | Self::Only(..) => Part::None,
        }
    }
}

/// What one contestant's runs of a case begin with: a database in which everything is installed and, where
/// events wait, they do. It takes longer to make one than to copy it.
#[derive(Default)]
pub(crate) struct Beginning(Option<(Template, Figures)>);

impl Beginning {
    /// After the last run.
    pub(crate) async fn remove(self) -> Result<()> {
        match self.0 {
            Some((template, _)) => template.remove().await,
            None => Ok(()),
        }
    }
}

impl Case {
    /// One run of one contestant, in a database of its own. `number` is a new one for each run, and the
    /// number after it another one.
    pub(crate) async fn run(
        &self,
        server: &Server,
        number: u32,
        who: &Contestant,
        beginning: &mut Beginning,
    ) -> Outcome {
        match self.measured(server, number, who, beginning).await {
            Ok(figures) => Outcome::Measured(figures),
            Err(error) => match error.downcast::<Unsupported>() {
                Ok(unsupported) => Outcome::Unsupported(unsupported.to_string()),
                Err(error) => Outcome::Failed(format!("{error:#}")),
            },
        }
    }

    async fn measured(
        &self,
        server: &Server,
        number: u32,
        who: &Contestant,
        beginning: &mut Beginning,
    ) -> Result<Figures> {
        let (mut database, prepared) = self.begin(server, number, who, beginning).await?;
        let figures = timeout(LONGEST, self.run_in(&mut database, who)).await;
        database.remove().await?;
        let mut figures = figures.context("it did not end")??;
        figures.extend(prepared);
        Ok(figures)
    }

    /// A database to run in, and what it cost to prepare it: a copy, unless there is only one run.
    async fn begin(
        &self,
        server: &Server,
        number: u32,
        who: &Contestant,
        beginning: &mut Beginning,
    ) -> Result<(Database, Figures)> {
        if beginning.0.is_none() {
            let mut database = server.database(number + 1).await?;
            let prepared = timeout(LONGEST, self.prepare(&mut database, who)).await;
            match prepared.context("it did not end").flatten() {
                Ok(prepared) if self.rounds == Some(1) => {
                    database.checkpoint().await?;
                    return Ok((database, prepared));
                }
                Ok(prepared) => {
                    beginning.0 = Some((database.into_template().await?, prepared));
                }
                Err(error) => {
                    database.remove().await?;
                    return Err(error);
                }
            }
        }
        let (template, prepared) = beginning.0.as_ref().context("it was prepared")?;
        Ok((template.copy(number).await?, prepared.clone()))
    }

    /// Installs everything, and fills the database; says what that cost.
    async fn prepare(&self, database: &mut Database, who: &Contestant) -> Result<Figures> {
        who.do_task(&self.setup(database), &["install"]).await?;
        match &self.run {
            Run::Drain(drain) => drain.fill(database, who).await,
            Run::Emit(_) | Run::Deliver(_) | Run::Scale(_) | Run::Idle(_) => Ok(Figures::new()),
        }
    }

    fn setup(&self, database: &Database) -> Setup {
        match &self.run {
            Run::Drain(drain) => drain.setup(database),
            Run::Emit(emit) => emit.setup(database),
            Run::Deliver(deliver) => deliver.setup(database),
            Run::Scale(scale) => scale.setup(database),
            Run::Idle(idle) => idle.setup(database),
        }
    }

    async fn run_in(&self, database: &mut Database, who: &Contestant) -> Result<Figures> {
        match &self.run {
            Run::Drain(drain) => drain.run(database, who).await,
            Run::Emit(emit) => emit.run(database, who).await,
            Run::Deliver(deliver) => deliver.run(database, who).await,
            Run::Scale(scale) => scale.run(database, who).await,
            Run::Idle(idle) => idle.run(database, who).await,
        }
    }
}
