//! Which cases there are, with which numbers.

use std::time::Duration;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::{Case, Deliver, Drain, Emit, Entrants, Idle, Run, Scale};

/// The workloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Workload {
    Drain,
    Fanout,
    Emit,
    Latency,
    Ordered,
    Tx,
    Held,
    Backlog,
    Scale,
    Idle,
}

impl Workload {
    /// As it is given to the command.
    pub(crate) fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    /// What is asked.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::Drain => {
                "Events wait for one consumer: how many are handled and recorded in a second?"
            }
            Self::Fanout => "The same with several consumers of each event.",
            Self::Emit => {
                "Transactions that insert a row of the application's own and emit: how many are \
                 committed in a second?"
            }
            Self::Latency => {
                "Events come at a steady rate: how long after the return of its commit does a handler start?"
            }
            Self::Ordered => {
                "Events of 10,000 keys in the order of each, and those of one key always fail."
            }
            Self::Tx => {
                "Each event adds one to a row of its key, in the transaction that records the progress."
            }
            Self::Held => {
                "Events come at a steady rate while another session holds a transaction open, and without."
            }
            Self::Backlog => "Does it matter how many events wait?",
            Self::Scale => {
                "Several worker processes, 16 handlers at once in each, share one consumer."
            }
            Self::Idle => "Nothing happens.",
        }
    }

    /// Whether this case is the one of which the page has a chart. The other workloads have one case only,
    /// or none that says more than the others.
    pub(crate) fn is_shown(self, case: &str) -> bool {
        match self {
            Self::Fanout => case == "10 consumers",
            Self::Emit => case == "16 writers",
            Self::Backlog => case == "5000000 events wait",
            Self::Held => case == "a transaction is open",
            _ => false,
        }
    }
}

/// How long a steady load does not count at first.
const WARM_UP: Duration = Duration::from_millis(500);

const OWN: &[&str] = &["outbox", "raw", "raw-100"];

/// All cases, on Postgres or on SQLite.
pub(crate) fn plan(quick: bool, postgres: bool) -> Vec<Case> {
    let mut cases = drains(quick, postgres);
    cases.extend(emits(quick, postgres));
    cases.extend(delivers(quick, postgres));
    if postgres {
        cases.extend(helds(quick));
        cases.extend(backlogs(quick));
        cases.extend(scales(quick));
        cases.push(Case {
            workload: Workload::Idle,
            title: "10 consumers".to_owned(),
            run: Run::Idle(Idle { consumers: 10, is_quick: quick }),
            entrants: match quick {
                true => Entrants::Only(&["outbox"], "not run with `--quick`"),
                false => Entrants::All(&["outbox"]),
            },
            rounds: Some(1),
        });
    }
    cases
}

fn drains(quick: bool, postgres: bool) -> Vec<Case> {
    let drain = |workload, title: &str, events: u64, consumers, kind| Case {
        workload,
        title: title.to_owned(),
        run: Run::Drain(Drain {
            events: if quick { events / 20 } else { events },
            consumers,
            kind,
            at_most: Duration::from_millis(if quick { 2_000 } else { 1_200 }),
            time_reads: false,
        }),
        entrants: Entrants::All(OWN),
        rounds: None,
    };
    let mut cases = vec![
        drain(Workload::Drain, "1 consumer", 200_000, 1, "plain"),
        drain(Workload::Ordered, "one failing key", 200_000, 1, "ordered"),
        drain(Workload::Tx, "1 consumer", 50_000, 1, "projection"),
    ];
    if postgres {
        let fanout = |title, consumers| drain(Workload::Fanout, title, 50_000, consumers, "plain");
        cases.extend(match quick {
            true => vec![fanout("4 consumers", 4)],
            false => {
                vec![fanout("1 consumer", 1), fanout("4 consumers", 4), fanout("10 consumers", 10)]
            }
        });
    }
    cases
}

fn emits(quick: bool, postgres: bool) -> Vec<Case> {
    let emit = |writers, events| Case {
        workload: Workload::Emit,
        title: match events {
            1 => format!("{writers} writers"),
            _ => format!("{writers} writers, {events} events in each transaction"),
        },
        run: Run::Emit(Emit {
            writers,
            events,
            consumers: 1,
            seconds: if quick { 0.3 } else { 0.6 },
        }),
        entrants: Entrants::All(&["outbox", "raw", "raw-notify", "none"]),
        rounds: None,
    };
    match (quick, postgres) {
        (true, _) => vec![emit(16, 1)],
        (false, true) => vec![emit(1, 1), emit(4, 1), emit(16, 1), emit(64, 1), emit(16, 10)],
        // Of these, one writes at a time.
        (false, false) => vec![emit(1, 1), emit(4, 1), emit(16, 1), emit(64, 1), emit(1, 10)],
    }
}

fn delivers(quick: bool, postgres: bool) -> Vec<Case> {
    let deliver = |rate, place: &str, two_processes, poll_only, entrants| Case {
        workload: Workload::Latency,
        title: format!("{rate} per second, {place}"),
        run: Run::Deliver(Deliver {
            rate,
            // So that there are some hundred events, and a hundredth of them is more than one. (Some do not
            // keep up with the higher rate, and take ten times as long.)
            seconds: match (quick, rate) {
                (true, _) => 1.0,
                (false, ..2_000) => 1.6,
                (false, 2_000..) => 0.6,
            },
            warm_up: WARM_UP,
            two_processes,
            held: false,
            poll_only,
        }),
        entrants,
        rounds: None,
    };
    let all = Entrants::All(&["outbox", "raw", "raw-notify"]);
    let own = Entrants::Only(&["outbox", "raw-notify"], "not run with `--quick`");
    let polling = Entrants::Only(&["outbox", "raw"], "not run: it is set up in one way only");
    let one = |rate| deliver(rate, "one process", false, false, all);
    let two = |rate, who| deliver(rate, "two processes", true, false, who);
    let polled = |rate| deliver(rate, "two processes that only poll", true, true, polling);
    match (quick, postgres) {
        (true, true) => vec![one(200), two(200, own), polled(200)],
        (true, false) => vec![one(200)],
        (false, true) => vec![one(200), one(2_000), two(200, all), two(2_000, all), polled(200)],
        (false, false) => vec![one(200), one(2_000), two(200, all), two(2_000, all)],
    }
}

fn helds(quick: bool) -> Vec<Case> {
    let held = |held| Case {
        workload: Workload::Held,
        title: if held { "a transaction is open" } else { "none is open" }.to_owned(),
        run: Run::Deliver(Deliver {
            rate: 1_000,
            seconds: match (quick, held) {
                (true, _) => 1.0,
                (false, true) => 60.0,
                (false, false) => 10.0,
            },
            // Two runs of different lengths are compared: neither is to have more of its beginning in it.
            warm_up: if quick { WARM_UP } else { WARM_UP * 10 },
            two_processes: false,
            held,
            poll_only: false,
        }),
        entrants: Entrants::Only(
            &["outbox", "pgmq", "graphile-worker"],
            "not run: a minute for each is too much",
        ),
        rounds: Some(1),
    };
    if quick { vec![held(true)] } else { vec![held(false), held(true)] }
}

fn backlogs(quick: bool) -> Vec<Case> {
    let backlog = |events: u64| Case {
        workload: Workload::Backlog,
        title: format!("{events} events wait"),
        run: Run::Drain(Drain {
            events,
            consumers: 1,
            kind: "plain",
            at_most: Duration::from_secs(8),
            time_reads: true,
        }),
        entrants: Entrants::Only(&["outbox", "raw"], "not run: millions of rows take too long"),
        rounds: Some(1),
    };
    if quick {
        vec![backlog(10_000), backlog(50_000)]
    } else {
        vec![backlog(10_000), backlog(1_000_000), backlog(5_000_000)]
    }
}

fn scales(quick: bool) -> Vec<Case> {
    let scale = |workers, load, events: u64| Case {
        workload: Workload::Scale,
        title: format!(
            "{workers} workers, {}",
            if load == "wait" { "handlers that wait 5 ms" } else { "handlers that burn 50 µs" }
        ),
        run: Run::Scale(Scale { workers, events, load }),
        entrants: Entrants::Only(&["outbox", "raw"], "not run: compared with itself only"),
        rounds: Some(3),
    };
    if quick {
        return vec![scale(4, "wait", 8_000)];
    }
    [1, 2, 4]
        .into_iter()
        .flat_map(|workers| {
            let waits = 10_000 * u64::from(workers);
            [scale(workers, "wait", waits), scale(workers, "burn", 50_000)]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_case_is_shown_it_is_one() {
        let cases = plan(false, true);
        for workload in [Workload::Fanout, Workload::Emit, Workload::Backlog, Workload::Held] {
            let own = cases.iter().filter(|case| case.workload == workload);
            let shown = own.filter(|case| workload.is_shown(&case.title)).count();
            assert_eq!(shown, 1, "{workload:?}");
        }
    }
}
