//! What is measured. One file for each way of running contestants; `plan.rs` says with which numbers.

mod deliver;
mod drain;
mod emit;
mod idle;
mod plan;
mod scale;
mod stock;

use std::time::Duration;

use anyhow::{Context, Result};
use outbox_contest::Unsupported;
use tokio::time::timeout;

use crate::figures::{Figures, Outcome};
use crate::umpire::{Contestant, Database, Server, Setup};

pub(crate) use self::deliver::Deliver;
pub(crate) use self::drain::Drain;
pub(crate) use self::emit::Emit;
pub(crate) use self::idle::Idle;
pub(crate) use self::plan::{Workload, plan};
pub(crate) use self::scale::Scale;
pub(crate) use self::stock::Stock;

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

impl Case {
    /// One run of one contestant, in a database of its own; perhaps it is the only one.
    pub(crate) async fn run(
        &self,
        server: &Server,
        who: &Contestant,
        stock: &mut Stock,
        is_only: bool,
    ) -> Outcome {
        match self.measured(server, who, stock, is_only).await {
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
        who: &Contestant,
        stock: &mut Stock,
        is_only: bool,
    ) -> Result<Figures> {
        let (mut database, prepared) = stock.begin(self, server, who, is_only).await?;
        let figures = timeout(self.longest(), self.run_in(&mut database, who)).await;
        database.remove().await?;
        let mut figures = figures.context("it did not end")??;
        figures.extend(prepared);
        Ok(figures)
    }

    /// Fills a database in which everything is installed; says what that cost.
    async fn fill(&self, database: &mut Database, who: &Contestant) -> Result<Figures> {
        match &self.run {
            Run::Drain(drain) => drain.fill(database, who).await,
            Run::Emit(_) | Run::Deliver(_) | Run::Scale(_) | Run::Idle(_) => Ok(Figures::new()),
        }
    }

    fn setup(&self, url: &str) -> Setup {
        match &self.run {
            Run::Drain(drain) => drain.setup(url),
            Run::Emit(emit) => emit.setup(url),
            Run::Deliver(deliver) => deliver.setup(url),
            Run::Scale(scale) => scale.setup(url),
            Run::Idle(idle) => idle.setup(url),
        }
    }

    fn longest(&self) -> Duration {
        match &self.run {
            Run::Deliver(deliver) => deliver.longest(),
            Run::Drain(_) | Run::Emit(_) | Run::Scale(_) | Run::Idle(_) => LONGEST,
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
