//! The contest: every case, round after round, for every contestant.
//!
//! The contestants take turns at a case, so that they meet the same machine, and each round begins with
//! another one and goes on in another order, so that nobody is always first, nor behind the same one.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::contestants;
use crate::figures::{Outcome, Summary, rounded};
use crate::machine::Machine;
use crate::report::{self, Place, Report, Row};
use crate::umpire::{Contestant, Server};
use crate::workloads::{Case, Part, Stock, Workload, plan};

#[derive(Args)]
pub(crate) struct Options {
    /// A superuser's address on a Postgres server on which nothing else happens.
    #[arg(long, value_name = "URL")]
    database_url: String,
    /// Smaller numbers and a single round: to see that everything works, not to compare.
    #[arg(long)]
    quick: bool,
    /// How often each case is run.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// This workload only; may be repeated.
    #[arg(long, value_name = "WORKLOAD")]
    only: Vec<Workload>,
    /// These contestants only; may be repeated.
    #[arg(long, value_name = "CONTESTANT")]
    of: Vec<String>,
    /// Another contestant on Postgres, and its program; may be repeated.
    #[arg(long, value_name = "NAME@VERSION=PATH")]
    peer: Vec<Peer>,
    /// Another contestant on SQLite, and its program; may be repeated.
    #[arg(long, value_name = "NAME@VERSION=PATH")]
    sqlite_peer: Vec<Peer>,
    /// Keep what is there of the workloads that are not run: each is compared within itself only.
    #[arg(long)]
    update: bool,
    #[command(flatten)]
    place: Place,
}

/// A contestant that is not part of this program.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Peer {
    name: String,
    version: String,
    program: PathBuf,
}

impl FromStr for Peer {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts = text.split_once('=').and_then(|(who, program)| {
            let (name, version) = who.split_once('@')?;
            Some((name, version, program))
        });
        let Some((name, version, program)) = parts else {
            bail!("not of the form NAME@VERSION=PATH")
        };
        Ok(Self { name: name.to_owned(), version: version.to_owned(), program: program.into() })
    }
}

/// The cases on one database, and who takes part.
struct Suite {
    server: Server,
    database: String,
    cases: Vec<Case>,
    contestants: Vec<(Contestant, bool)>,
}

pub(crate) async fn run(options: &Options) -> Result<()> {
    let began = Instant::now();
    let rounds = if options.quick { 1 } else { options.rounds };
    let suites = [
        Suite::new(options, Server::Postgres(options.database_url.clone()), &options.peer).await?,
        Suite::new(options, Server::Sqlite, &options.sqlite_peer).await?,
    ];
    let mut outcomes = vec![Vec::new(), Vec::new()];
    for (suite, outcomes) in suites.iter().zip(&mut outcomes) {
        *outcomes = vec![vec![Vec::new(); suite.contestants.len()]; suite.cases.len()];
    }
    for (suite, outcomes) in suites.iter().zip(&mut outcomes) {
        suite.play(rounds, outcomes).await;
    }
    let mut rows = Vec::new();
    for (suite, outcomes) in suites.iter().zip(&outcomes) {
        rows.extend(suite.rows(outcomes));
    }
    let peers = options.peer.iter().chain(&options.sqlite_peer);
    let mut versions: Vec<_> =
        peers.map(|peer| (peer.name.clone(), peer.version.clone())).collect();
    versions.dedup();
    let mut report = Report {
        machine: Machine::look(&suites[0].server).await?,
        versions,
        rounds,
        seconds: began.elapsed().as_secs(),
        rows,
    };
    if options.update {
        report = report::read(&options.place)?.updated(report)?;
    }
    report::write(&report, &options.place)
}

impl Suite {
    async fn new(options: &Options, server: Server, peers: &[Peer]) -> Result<Self> {
        let (postgres, database) = match server {
            Server::Postgres(_) => (true, "Postgres"),
            Server::Sqlite => (false, "SQLite"),
        };
        server.version().await.with_context(|| format!("cannot use {database}"))?;
        let mut contestants = Vec::new();
        for name in contestants::names(postgres) {
            contestants.push((Contestant::own(&name)?, false));
        }
        for Peer { name, program, .. } in peers {
            let (name, program) = (name.clone(), program.clone());
            contestants.push((Contestant { name, program, arguments: Vec::new() }, true));
        }
        contestants.retain(|(who, _)| options.of.is_empty() || options.of.contains(&who.name));
        let mut cases = plan(options.quick, postgres);
        cases.retain(|case| options.only.is_empty() || options.only.contains(&case.workload));
        Ok(Self { server, database: database.to_owned(), cases, contestants })
    }

    /// All cases, and what came of them for each contestant.
    async fn play(&self, rounds: u32, outcomes: &mut [Vec<Vec<Outcome>>]) {
        let mut stocks: Vec<_> = self.contestants.iter().map(|_| Stock::default()).collect();
        for (case, outcomes) in self.cases.iter().zip(outcomes) {
            self.play_case(case, case.rounds.unwrap_or(rounds).min(rounds), outcomes, &mut stocks)
                .await;
            for stock in &mut stocks {
                tell_of_what_is_left(stock.end_case().await);
            }
        }
        for stock in stocks {
            tell_of_what_is_left(stock.remove().await);
        }
    }

    /// All rounds of a case.
    async fn play_case(
        &self,
        case: &Case,
        rounds: u32,
        outcomes: &mut [Vec<Outcome>],
        stocks: &mut [Stock],
    ) {
        let count = self.contestants.len();
        for round in 0..rounds {
            for place in order(round, count) {
                let (who, is_peer) = &self.contestants[place];
                // What failed once would fail again, and perhaps only after minutes.
                let gave_up = outcomes[place].iter().any(|o| !matches!(o, Outcome::Measured(_)));
                if gave_up {
                    continue;
                }
                match case.entrants.part(&who.name, *is_peer) {
                    Part::Plays => {}
                    Part::IsLeftOut(why) => {
                        outcomes[place].push(Outcome::Unsupported(why.to_owned()));
                        continue;
                    }
                    Part::None => continue,
                }
                let began = Instant::now();
                let outcome = case.run(&self.server, who, &mut stocks[place], rounds == 1).await;
                self.tell(round, case, who, &outcome, began.elapsed());
                outcomes[place].push(outcome);
            }
        }
    }

    fn tell(&self, round: u32, case: &Case, who: &Contestant, outcome: &Outcome, took: Duration) {
        let workload = case.workload.name();
        let told = match outcome {
            Outcome::Measured(figures) => {
                let figures = figures
                    .iter()
                    .map(|(metric, value)| format!("{} {}", metric.title(), rounded(*value)));
                figures.collect::<Vec<_>>().join(" | ")
            }
            Outcome::Unsupported(why) => format!("unsupported: {why}"),
            Outcome::Failed(why) => format!("FAILED: {why}"),
        };
        let round = round + 1;
        let (database, title, name) = (&self.database, &case.title, &who.name);
        let took = took.as_secs_f64();
        println!("{round} {database} {workload} ({title}) {name}: {told} [{took:.1} s]");
    }

    fn rows(&self, outcomes: &[Vec<Vec<Outcome>>]) -> Vec<Row> {
        let mut rows = Vec::new();
        for (case, outcomes) in self.cases.iter().zip(outcomes) {
            for ((who, _), outcomes) in self.contestants.iter().zip(outcomes) {
                if !outcomes.is_empty() {
                    rows.push(Row {
                        database: self.database.clone(),
                        workload: case.workload,
                        case: case.title.clone(),
                        contestant: who.name.clone(),
                        summary: Summary::of(outcomes),
                    });
                }
            }
        }
        rows
    }
}

/// In which order so many take their turns in a round.
fn order(round: u32, count: usize) -> impl Iterator<Item = usize> {
    let visits_all = |step: &usize| (1..count).all(|place| !(place * step).is_multiple_of(count));
    let steps: Vec<usize> = (1..count.max(2)).filter(visits_all).collect();
    let round = round as usize;
    let step = steps[round % steps.len()];
    (0..count).map(move |place| (round + place * step) % count)
}

fn tell_of_what_is_left(removed: Result<()>) {
    if let Err(error) = removed {
        eprintln!("a database is left behind: {error:#}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_a_turn_and_another_one_before() {
        for count in 1..12 {
            for round in 0..5 {
                let mut turns: Vec<usize> = order(round, count).collect();
                assert_eq!(turns[0], round as usize % count);
                turns.sort_unstable();
                assert!(turns.into_iter().eq(0..count), "{count} in round {round}");
            }
        }
        let second = |round| order(round, 11).collect::<Vec<_>>()[1];
        assert_eq!([second(0), second(1), second(2)], [1, 3, 5]);
    }

    #[test]
    fn a_peer_has_a_name_a_version_and_a_program() {
        let peer: Peer = "riverqueue@0.5.0=/tmp/a=b".parse().expect("a peer");
        assert_eq!((peer.name.as_str(), peer.version.as_str()), ("riverqueue", "0.5.0"));
        assert_eq!(peer.program, PathBuf::from("/tmp/a=b"));
        assert!("riverqueue=/tmp".parse::<Peer>().is_err());
    }
}
