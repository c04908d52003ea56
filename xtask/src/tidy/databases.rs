//! Rules about the two databases: what one can do, the other can do under the same name.

use std::collections::BTreeSet;

use super::Finding;
use super::sources::Source;

/// Two directories that hold files of the same names.
struct Twins {
    postgres: &'static str,
    sqlite: &'static str,
    /// Files that one database needs and the other does not: a name within its directory, and
    /// why.
    exceptions: &'static [(&'static str, &'static str)],
}

const RESTORE: &str =
    "SQLite has no transaction ids that another cluster could misunderstand: see restore.rs";

const STATEMENTS: Twins = Twins {
    postgres: "outbox-runtime/src/store/postgres/sql/",
    sqlite: "outbox-runtime/src/store/sqlite/sql/",
    exceptions: &[
        ("open_window.sql", "SQLite has one writer: its log is read by position, in read.sql"),
        ("open_window_few.sql", "SQLite has one writer: its log is read by position, in read.sql"),
        (
            "open_window_none_late.sql",
            "SQLite has one writer: its log is read by position, in read.sql",
        ),
        ("continue_window.sql", "SQLite has one writer: its log is read by position, in read.sql"),
        (
            "append_changed.sql",
            "SQLite cannot change rows inside another statement: see changed.rs",
        ),
        (
            "read.sql",
            "Postgres reads its log in windows, in open_window.sql and continue_window.sql",
        ),
        ("notify.sql", "SQLite has no channels: other processes poll"),
        ("pulse.sql", "Postgres feels it in probe.sql, to save a round trip"),
        ("now.sql", "SQLite has no server: the time is bound from the machine's clock"),
        ("limit_idle.sql", "SQLite has no sessions: the lock of a process goes with the process"),
        ("claim_dedup.sql", "Postgres does it in append_deduplicated.sql, in a `with`"),
        ("worker_alive.sql", "Postgres does it in renew_leases.sql, in a `with`"),
        ("try_retention.sql", "SQLite has one writer: the write lock is the lock"),
        ("await_retention.sql", "SQLite has one writer: the write lock is the lock"),
        ("late_floor.sql", "SQLite has one writer: nothing is late"),
        ("cluster.sql", RESTORE),
        ("lock_cluster.sql", RESTORE),
        ("last_position.sql", RESTORE),
        ("move_sequence.sql", RESTORE),
        ("emitting.sql", RESTORE),
        ("ledger_heads.sql", RESTORE),
        ("translate_shard.sql", RESTORE),
        ("translate_unread.sql", RESTORE),
        ("translate_barriers.sql", RESTORE),
        ("set_cluster.sql", RESTORE),
    ],
};

const MIGRATIONS: Twins = Twins {
    postgres: "outbox-runtime/migrations/postgres/",
    sqlite: "outbox-runtime/migrations/sqlite/",
    exceptions: &[("0003_call_from_sql.sql", "SQLite has no functions in SQL")],
};

/// What is written into the migration files of applications.
const WRITTEN: Twins = Twins {
    postgres: "outbox-runtime/src/migrations/postgres/",
    sqlite: "outbox-runtime/src/migrations/sqlite/",
    exceptions: &[],
};

/// Where statements on Postgres are made: so that a pooler in transaction mode can follow them.
const SESSION: &str = "outbox-runtime/src/store/postgres/session.rs";

/// Code of the store on Postgres that no user runs.
const TESTS: [&str; 3] = ["tests.rs", "sabotage.rs", "schedule"];

pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let twins = [STATEMENTS, MIGRATIONS, WRITTEN];
    let findings = twins.iter().flat_map(|twins| twins.check(sources));
    findings.chain(sources.iter().flat_map(around_the_session)).collect()
}

/// A statement that may have a name, or is outside a transaction, works on every machine but those
/// with such a pooler.
fn around_the_session(source: &Source) -> Vec<Finding> {
    let dir = SESSION.strip_suffix("session.rs").unwrap_or(SESSION);
    let exempt = |name: &str| TESTS.iter().any(|test| name.starts_with(test));
    match source.path.strip_prefix(dir) {
        Some(name) if source.path != SESSION && source.kind() == "rs" && !exempt(name) => {}
        _ => return Vec::new(),
    }
    let lines = source.text.lines().enumerate();
    lines
        .filter(|(_, line)| ["sqlx::query(", "sqlx::query_"].iter().any(|call| line.contains(call)))
        .map(|(index, _)| {
            let message = format!("make statements with the functions of {SESSION}");
            Finding::at_line(source, index + 1, message)
        })
        .collect()
}

impl Twins {
    fn check(&self, sources: &[Source]) -> Vec<Finding> {
        let postgres = names(sources, self.postgres);
        let sqlite = names(sources, self.sqlite);
        let mut findings = self.without_twin(self.postgres, &postgres, self.sqlite, &sqlite);
        findings.extend(self.without_twin(self.sqlite, &sqlite, self.postgres, &postgres));
        findings.extend(self.stale_exceptions(&postgres, &sqlite));
        findings
    }

    fn without_twin(
        &self,
        dir: &str,
        names: &BTreeSet<&str>,
        other_dir: &str,
        others: &BTreeSet<&str>,
    ) -> Vec<Finding> {
        let excepted = |name| self.exceptions.iter().any(|(exception, _)| *exception == name);
        names
            .difference(others)
            .filter(|name| !excepted(**name))
            .map(|name| {
                let message = format!(
                    "has no twin {other_dir}{name}; write it, or list the file with its reason in {}",
                    file!()
                );
                Finding::in_file(&format!("{dir}{name}"), message)
            })
            .collect()
    }

    fn stale_exceptions(&self, postgres: &BTreeSet<&str>, sqlite: &BTreeSet<&str>) -> Vec<Finding> {
        let in_one = |name| postgres.contains(name) != sqlite.contains(name);
        self.exceptions
            .iter()
            .filter(|(name, _)| !in_one(name))
            .map(|(name, _)| {
                Finding::in_file(file!(), format!("{name} is no exception any more: drop it"))
            })
            .collect()
    }
}

/// The SQL files below a directory, relative to it.
fn names<'a>(sources: &'a [Source], dir: &str) -> BTreeSet<&'a str> {
    let sql = sources.iter().filter(|source| source.kind() == "sql");
    sql.filter_map(|source| source.path.strip_prefix(dir)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWINS: Twins =
        Twins { postgres: "p/", sqlite: "s/", exceptions: &[("notify.sql", "SQLite has none")] };

    fn paths(paths: &[&str]) -> Vec<String> {
        let source = |path: &&str| Source { path: (*path).to_owned(), text: String::new() };
        let sources: Vec<_> = paths.iter().map(source).collect();
        TWINS.check(&sources).into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn a_file_without_a_twin_is_found_on_either_side() {
        let found =
            paths(&["p/emit.sql", "s/emit.sql", "p/read.sql", "s/trim.sql", "p/notify.sql"]);
        assert_eq!(found, ["p/read.sql", "s/trim.sql"]);
    }

    #[test]
    fn a_statement_that_goes_around_the_session_is_found() {
        let found = |name: &str| {
            let path = format!("outbox-runtime/src/store/{name}");
            let text = "fn f() {\n    sqlx::query(self.sql.due.safe())\n}\n".to_owned();
            let lines = around_the_session(&Source { path, text });
            lines.into_iter().filter_map(|finding| finding.line).collect::<Vec<_>>()
        };
        assert_eq!(found("postgres/deliveries.rs"), [2]);
        for other in ["postgres/session.rs", "postgres/tests.rs", "sqlite/deliveries.rs"] {
            assert!(found(other).is_empty(), "{other}");
        }
    }

    #[test]
    fn an_exception_that_no_longer_is_one_is_found() {
        assert_eq!(paths(&["p/notify.sql", "s/notify.sql"]), [file!()]);
        assert_eq!(paths(&[]), [file!()]);
    }
}
