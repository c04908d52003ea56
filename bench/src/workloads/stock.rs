//! The databases that a contestant's runs begin with: it takes longer to make one than to copy it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::time::timeout;

use super::{Case, LONGEST};
use crate::figures::Figures;
use crate::umpire::{Contestant, Database, Server, Setup, Template};

/// What takes longer than this to install is installed once for each setup.
const LONG: Duration = Duration::from_millis(500);

/// Databases of one contestant, to be copied.
#[derive(Default)]
pub(crate) struct Stock {
    /// In which it is installed.
    installed: Vec<(Schema, Template)>,
    /// What the runs of the case begin with: where events wait, they do. And what that cost.
    prepared: Option<(Template, Figures)>,
}

/// What a contestant may install other tables, or other rows, for.
#[derive(PartialEq)]
struct Schema {
    consumers: u32,
    kind: &'static str,
    shards: u32,
}

impl Schema {
    fn of(setup: &Setup) -> Self {
        Self { consumers: setup.consumers, kind: setup.kind, shards: setup.shards }
    }
}

impl Stock {
    /// After the last run of a case.
    pub(crate) async fn end_case(&mut self) -> Result<()> {
        match self.prepared.take() {
            Some((template, _)) => template.remove().await,
            None => Ok(()),
        }
    }

    /// After the last case.
    pub(crate) async fn remove(self) -> Result<()> {
        for (_, template) in self.installed {
            template.remove().await?;
        }
        Ok(())
    }

    /// A database to run a case in, and what it cost to prepare it: a copy, unless there is only one run.
    pub(super) async fn begin(
        &mut self,
        case: &Case,
        server: &Server,
        who: &Contestant,
        is_only: bool,
    ) -> Result<(Database, Figures)> {
        if let Some((template, prepared)) = &self.prepared {
            return Ok((template.copy().await?, prepared.clone()));
        }
        let mut database = self.install(case, server, who).await?;
        let filled = timeout(LONGEST, case.fill(&mut database, who)).await;
        match filled.context("it did not end").flatten() {
            Ok(prepared) if is_only => {
                database.checkpoint().await?;
                Ok((database, prepared))
            }
            Ok(prepared) => {
                let template = database.into_template().await?;
                let database = template.copy().await?;
                self.prepared = Some((template, prepared.clone()));
                Ok((database, prepared))
            }
            Err(error) => {
                database.remove().await?;
                Err(error)
            }
        }
    }

    /// A database in which everything is installed.
    async fn install(
        &mut self,
        case: &Case,
        server: &Server,
        who: &Contestant,
    ) -> Result<Database> {
        let schema = Schema::of(&case.setup(""));
        if let Some((_, template)) = self.installed.iter().find(|(of, _)| *of == schema) {
            return template.copy().await;
        }
        let mut database = server.database().await?;
        let setup = case.setup(database.url());
        let began = Instant::now();
        let installed = timeout(LONGEST, who.do_task(&setup, &["install"])).await;
        if let Err(error) = installed.context("it did not end").flatten() {
            database.remove().await?;
            return Err(error);
        }
        if began.elapsed() > LONG {
            let template = database.into_template().await?;
            database = template.copy().await?;
            self.installed.push((schema, template));
        }
        Ok(database)
    }
}
