//! What this project wants of the figures, and what they are.

use std::fmt::Write as _;

use crate::figures::{Metric, rounded};
use crate::report::Report;
use crate::workloads::Workload;

/// Something that is wanted of this project in a case.
struct Target {
    database: &'static str,
    workload: Workload,
    case: &'static str,
    metric: Metric,
    against: Against,
    bound: Bound,
}

/// What a figure is divided by.
#[derive(Clone, Copy)]
enum Against {
    Nothing,
    /// Of another contestant, in the same case.
    Contestant(&'static str),
    /// Of whichever peer is the fastest in the same case.
    BestPeer,
    /// Of this project, in another case.
    Own(Workload, &'static str),
}

#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
    Below(f64),
}

use Against::{BestPeer, Contestant, Nothing, Own};
use Bound::{AtLeast, AtMost, Below};

/// A case, of which several things may be wanted.
struct Case(&'static str, Workload, &'static str);

impl Case {
    const fn wants(&self, metric: Metric, against: Against, bound: Bound) -> Target {
        let Self(database, workload, case) = *self;
        Target { database, workload, case, metric, against, bound }
    }
}

const POSTGRES: &str = "Postgres";
const SQLITE: &str = "SQLite";
const DRAIN: Case = Case(POSTGRES, Workload::Drain, "1 consumer");
const ORDERED: Case = Case(POSTGRES, Workload::Ordered, "one failing key");
const TX: Case = Case(POSTGRES, Workload::Tx, "1 consumer");
const FANOUT: Case = Case(POSTGRES, Workload::Fanout, "10 consumers");
const EMIT_16: Case = Case(POSTGRES, Workload::Emit, "16 writers");
const EMIT_64: Case = Case(POSTGRES, Workload::Emit, "64 writers");
const HERE_200: Case = Case(POSTGRES, Workload::Latency, "200 per second, one process");
const HERE_2000: Case = Case(POSTGRES, Workload::Latency, "2000 per second, one process");
const THERE_200: Case = Case(POSTGRES, Workload::Latency, "200 per second, two processes");
const THERE_2000: Case = Case(POSTGRES, Workload::Latency, "2000 per second, two processes");
const POLLED: Case =
    Case(POSTGRES, Workload::Latency, "200 per second, two processes that only poll");
const HELD: Case = Case(POSTGRES, Workload::Held, "a transaction is open");
const BACKLOG: Case = Case(POSTGRES, Workload::Backlog, "5000000 events wait");
const SCALE: Case = Case(POSTGRES, Workload::Scale, "4 workers, handlers that wait 5 ms");
const IDLE: Case = Case(POSTGRES, Workload::Idle, "10 consumers");
const SQLITE_DRAIN: Case = Case(SQLITE, Workload::Drain, "1 consumer");
const SQLITE_EMIT: [Case; 4] = [
    Case(SQLITE, Workload::Emit, "1 writers"),
    Case(SQLITE, Workload::Emit, "4 writers"),
    Case(SQLITE, Workload::Emit, "16 writers"),
    Case(SQLITE, Workload::Emit, "64 writers"),
];
const SQLITE_HERE: Case = Case(SQLITE, Workload::Latency, "200 per second, one process");

/// In the order of the page. They were set before anything was measured.
const TARGETS: &[Target] = &[
    DRAIN.wants(Metric::PerSecond, Contestant("raw"), AtLeast(0.7)),
    DRAIN.wants(Metric::PerSecond, Contestant("obix"), AtLeast(2.0)),
    DRAIN.wants(Metric::PerSecond, Contestant("graphile-worker"), AtLeast(4.0)),
    DRAIN.wants(Metric::PerSecond, Contestant("pgmq"), AtLeast(5.0)),
    DRAIN.wants(Metric::PerSecond, Contestant("riverqueue"), AtLeast(10.0)),
    DRAIN.wants(Metric::WalBytes, Nothing, AtMost(5.0)),
    DRAIN.wants(Metric::DeadRows, Nothing, Below(0.01)),
    ORDERED.wants(Metric::PerSecond, Own(Workload::Drain, "1 consumer"), AtLeast(0.5)),
    TX.wants(Metric::PerSecond, Own(Workload::Drain, "1 consumer"), AtLeast(0.5)),
    TX.wants(Metric::PerSecond, Contestant("raw"), AtLeast(0.7)),
    FANOUT.wants(Metric::WalBytesEmitted, Own(Workload::Fanout, "1 consumer"), AtMost(1.05)),
    FANOUT.wants(Metric::PerSecond, Contestant("raw"), AtLeast(0.7)),
    FANOUT.wants(Metric::PerSecond, BestPeer, AtLeast(2.0)),
    EMIT_16.wants(Metric::PerSecond, Contestant("raw"), AtLeast(0.95)),
    EMIT_64.wants(Metric::PerSecond, Contestant("raw"), AtLeast(0.95)),
    EMIT_16.wants(Metric::PerSecond, Contestant("obix"), AtLeast(1.2)),
    EMIT_16.wants(Metric::PerSecond, Contestant("riverqueue"), AtLeast(1.5)),
    EMIT_16.wants(Metric::PerSecond, Contestant("pgmq"), AtLeast(1.5)),
    EMIT_16.wants(Metric::PerSecond, Contestant("graphile-worker"), AtLeast(4.0)),
    EMIT_16.wants(Metric::PerSecond, Contestant("awa"), AtLeast(4.0)),
    EMIT_16.wants(Metric::WalBytes, Contestant("riverqueue"), Below(1.0)),
    EMIT_16.wants(Metric::WalBytes, Contestant("obix"), Below(1.0)),
    HERE_200.wants(Metric::P50Ms, Nothing, AtMost(0.2)),
    HERE_200.wants(Metric::P99Ms, Nothing, AtMost(1.0)),
    HERE_2000.wants(Metric::P99Ms, Nothing, AtMost(5.0)),
    THERE_200.wants(Metric::P50Ms, Nothing, AtMost(1.0)),
    THERE_200.wants(Metric::P99Ms, Nothing, AtMost(8.0)),
    THERE_2000.wants(Metric::P99Ms, Nothing, AtMost(12.0)),
    POLLED.wants(Metric::P50Ms, Nothing, AtMost(100.0)),
    HELD.wants(Metric::PerSecondAtTheEnd, Nothing, AtLeast(990.0)),
    HELD.wants(Metric::P99Ms, Own(Workload::Held, "none is open"), AtMost(1.25)),
    HELD.wants(Metric::DeadRowsInAll, Nothing, Below(100.0)),
    BACKLOG.wants(
        Metric::PerSecondFromTheFirst,
        Own(Workload::Backlog, "10000 events wait"),
        AtLeast(0.95),
    ),
    // Ten thousand are over before it is at its fastest.
    BACKLOG.wants(
        Metric::PerSecondFromTheFirst,
        Own(Workload::Backlog, "1000000 events wait"),
        AtLeast(0.95),
    ),
    BACKLOG.wants(Metric::PeakMib, Own(Workload::Backlog, "10000 events wait"), AtMost(1.1)),
    SCALE.wants(
        Metric::PerSecond,
        Own(Workload::Scale, "1 workers, handlers that wait 5 ms"),
        AtLeast(3.5),
    ),
    IDLE.wants(Metric::TransactionsPerSecond, Nothing, AtMost(2.0)),
    IDLE.wants(Metric::TransactionIds, Nothing, AtMost(0.0)),
    IDLE.wants(Metric::ProcessorPercent, Nothing, Below(1.0)),
    SQLITE_DRAIN.wants(Metric::PerSecond, Contestant("raw"), AtLeast(0.6)),
    SQLITE_DRAIN.wants(Metric::PerSecond, Contestant("riverqueue"), AtLeast(5.0)),
    SQLITE_EMIT[0].wants(Metric::PerSecond, Contestant("raw"), AtLeast(0.9)),
    SQLITE_EMIT[1].wants(Metric::PerSecond, Contestant("raw"), AtLeast(0.9)),
    SQLITE_EMIT[2].wants(Metric::PerSecond, Contestant("raw"), AtLeast(0.9)),
    SQLITE_EMIT[3].wants(Metric::PerSecond, Contestant("raw"), AtLeast(0.9)),
    SQLITE_HERE.wants(Metric::P50Ms, Nothing, AtMost(0.3)),
];

impl Target {
    /// What the report says about it, if everything that it is about was measured.
    fn measured(&self, report: &Report) -> Option<f64> {
        let own = |workload, case| self.median(report, workload, case, "outbox");
        let here = |contestant| self.median(report, self.workload, self.case, contestant);
        let figure = here("outbox")?;
        let by = match self.against {
            Nothing => return Some(figure),
            Contestant(name) => here(name)?,
            BestPeer => {
                let peers = report.versions.iter().filter_map(|(name, _)| here(name));
                peers.reduce(f64::max)?
            }
            Own(workload, case) => own(workload, case)?,
        };
        (by > 0.0).then(|| figure / by)
    }

    fn median(
        &self,
        report: &Report,
        workload: Workload,
        case: &str,
        contestant: &str,
    ) -> Option<f64> {
        let is_it = |row: &&super::Row| {
            (row.database.as_str(), row.workload) == (self.database, workload)
                && (row.case.as_str(), row.contestant.as_str()) == (case, contestant)
        };
        let row = report.rows.iter().find(is_it)?;
        row.summary.figures.get(&self.metric).map(|spread| spread.median)
    }

    fn against(&self) -> String {
        match self.against {
            Nothing => String::new(),
            Contestant(name) => format!(" of `{name}`"),
            BestPeer => " of the best peer".to_owned(),
            Own(workload, case) if workload == self.workload => format!(" of that with: {case}"),
            Own(workload, _) => format!(" of `{}`", workload.name()),
        }
    }
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            AtLeast(least) => value >= least,
            AtMost(most) => value <= most,
            Below(bound) => value < bound,
        }
    }

    fn said(self) -> String {
        match self {
            AtLeast(least) => format!("≥ {least}"),
            AtMost(most) => format!("≤ {most}"),
            Below(bound) => format!("< {bound}"),
        }
    }
}

/// A table of all targets.
pub(super) fn table(report: &Report) -> String {
    let mut text = "| workload | case | figure | target | measured | |\n| --- | --- | --- | ---: | ---: | --- |\n"
        .to_owned();
    for target in TARGETS {
        let measured = target.measured(report);
        let verdict = match measured {
            None => "not measured",
            Some(value) if target.bound.holds(value) => "reached",
            Some(_) => "**missed**",
        };
        let measured = measured.map_or_else(String::new, rounded);
        let (database, name, case) = (target.database, target.workload.name(), target.case);
        let (figure, against, bound) =
            (target.metric.title(), target.against(), target.bound.said());
        // Writing into a string does not fail.
        let _ = writeln!(
            text,
            "| {database}: {name} | {case} | {figure} | {bound}{against} | {measured} | {verdict} |"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::figures::{Spread, Summary};
    use crate::machine::Machine;
    use crate::report::Row;
    use crate::workloads::plan;

    #[test]
    fn what_is_wanted_is_about_cases_that_there_are() {
        for (database, is_postgres) in [(POSTGRES, true), (SQLITE, false)] {
            let cases = plan(false, is_postgres);
            let is_there = |workload, case| {
                cases.iter().any(|other| (other.workload, other.title.as_str()) == (workload, case))
            };
            for target in TARGETS.iter().filter(|target| target.database == database) {
                assert!(is_there(target.workload, target.case), "{database}: {}", target.case);
                if let Own(workload, case) = target.against {
                    assert!(is_there(workload, case), "{database}: {case}");
                }
            }
        }
    }

    #[test]
    fn a_target_is_reached_missed_or_not_measured() {
        let row = |contestant: &str, metric, value| Row {
            database: POSTGRES.to_owned(),
            workload: Workload::Drain,
            case: "1 consumer".to_owned(),
            contestant: contestant.to_owned(),
            summary: Summary {
                figures: BTreeMap::from([(
                    metric,
                    Spread { median: value, min: value, max: value, runs: 1 },
                )]),
                remarks: Vec::new(),
            },
        };
        let mut ours = row("outbox", Metric::PerSecond, 90.0);
        ours.summary.figures.extend(row("outbox", Metric::WalBytes, 5.0).summary.figures);
        let report = Report {
            machine: Machine::default(),
            versions: Vec::new(),
            rounds: 1,
            seconds: 1,
            rows: vec![
                ours,
                row("raw", Metric::PerSecond, 100.0),
                row("obix", Metric::PerSecond, 50.0),
            ],
        };
        let table = table(&report);
        let verdict = |start: &str| {
            let line = table.lines().find(|line| line.contains(start)).expect(start);
            line.rsplit('|').nth(1).expect("the last cell").trim().to_owned()
        };
        assert_eq!(verdict("≥ 0.7 of `raw` | 0.900"), "reached");
        assert_eq!(verdict("≥ 2 of `obix` | 1.80"), "**missed**");
        assert_eq!(verdict("≤ 5 | 5.00"), "reached");
        assert_eq!(verdict("≥ 5 of `pgmq`"), "not measured");
    }
}
