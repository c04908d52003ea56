//! The SQL of what a database needs, as text: for those who apply it themselves.
//!
//! [`Outbox::migrate()`](crate::Outbox::migrate) applies the engine's tables by itself. Where
//! migrations are files that somebody reviews and applies, a generator (`outbox migrations generate`
//! of `outbox-codegen`) writes them with what is here.

mod quoted;

use crate::error::Result;
use crate::registry::ConsumerInfo;
use crate::store::types::start_text;
use crate::store::{Namespace, migrate};
use quoted::quoted;

/// (Not public: the compiler shortens the names `Postgres` and `Sqlite` in errors only while no other
/// item has them.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Database {
    Postgres,
    Sqlite,
}

/// Writes SQL for the tables in one schema (Postgres) or with one prefix (SQLite).
///
/// ```
/// use outbox_runtime::migrations::Migrations;
///
/// let migrations = Migrations::sqlite("outbox")?;
/// let tables = migrations.tables();
/// assert_eq!(tables[0].format, 1);
/// assert!(tables[0].sql.contains("create table \"outbox_event\""));
/// # Ok::<(), outbox_runtime::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Migrations {
    database: Database,
    namespace: Namespace,
}

/// A step of the engine's tables.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tables {
    /// The format of the tables after it: 1, 2, and so on without a gap.
    pub format: u32,
    /// Its statements. On Postgres they do nothing where the step was applied already, be it by
    /// [`Outbox::migrate()`](crate::Outbox::migrate); SQLite has no way to say that, and refuses.
    pub sql: String,
}

impl Migrations {
    /// For tables in this schema of a Postgres database.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidName`](crate::ErrorKind::InvalidName) for a name that would have to be
    /// quoted, or has more than 48 characters.
    pub fn postgres(schema: &str) -> Result<Self> {
        Ok(Self { database: Database::Postgres, namespace: Namespace::new(schema)? })
    }

    /// For tables with this prefix in an SQLite database.
    ///
    /// # Errors
    ///
    /// As [`postgres`](Self::postgres).
    pub fn sqlite(prefix: &str) -> Result<Self> {
        Ok(Self { database: Database::Sqlite, namespace: Namespace::new(prefix)? })
    }

    /// Whether they are for Postgres, and not for SQLite.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        self.database == Database::Postgres
    }

    /// The schema, or the prefix.
    #[must_use]
    pub fn schema(&self) -> &str {
        self.namespace.as_str()
    }

    /// A name in the schema, quoted: `"outbox".event`, or `"outbox_event"`.
    ///
    /// ```
    /// # use outbox_runtime::migrations::Migrations;
    /// assert_eq!(Migrations::postgres("shop")?.name("event"), r#""shop"."event""#);
    /// assert_eq!(Migrations::sqlite("shop")?.name("event"), r#""shop_event""#);
    /// # Ok::<(), outbox_runtime::Error>(())
    /// ```
    #[must_use]
    pub fn name(&self, name: &str) -> String {
        let name = name.replace('"', "\"\"");
        match self.database {
            Database::Postgres => format!("\"{}\".\"{name}\"", self.schema()),
            Database::Sqlite => format!("\"{}_{name}\"", self.schema()),
        }
    }

    /// All steps of the engine's tables, oldest first.
    #[must_use]
    pub fn tables(&self) -> Vec<Tables> {
        let steps = match self.database {
            Database::Postgres => migrate::POSTGRES,
            Database::Sqlite => migrate::SQLITE,
        };
        let steps = steps.iter().map(|(number, sql)| {
            let sql = match self.database {
                Database::Postgres => self.unless_applied(*number, sql),
                Database::Sqlite => self.written(sql),
            };
            Tables { format: number.unsigned_abs(), sql }
        });
        steps.collect()
    }

    /// Makes a consumer known, as the first worker that runs it would: events from now on, or
    /// whatever its `start` says, are kept for it. Does nothing where it is known.
    #[must_use]
    pub fn register(&self, consumer: &ConsumerInfo) -> String {
        let options = &consumer.options;
        let values = [
            (":name", quoted(options.name)),
            (":event_name", quoted(consumer.event_name)),
            (":event_version", consumer.event_version.to_string()),
            (":ordered", options.ordered.to_string()),
            (":shards", options.shards.to_string()),
            (":start", quoted(&start_text(options.start))),
        ];
        self.filled(
            match self.database {
                Database::Postgres => include_str!("postgres/register_consumer.sql"),
                Database::Sqlite => include_str!("sqlite/register_consumer.sql"),
            },
            &values,
        )
    }

    /// Retires a consumer, so that it holds nothing back any more. Refuses while a worker runs it,
    /// and while it has deliveries (dead letters too) or events that it has not handled, unless told
    /// to drop them.
    #[must_use]
    pub fn retire(&self, consumer: &str, drop_work: bool) -> String {
        let values = [
            (":name", quoted(consumer)),
            (":drop_work", drop_work.to_string()),
            (
                ":is_run",
                quoted(&format!(
                    "outbox: a worker runs {consumer}: deploy without it, or pause it, and run this again"
                )),
            ),
            (
                ":has_work",
                quoted(&format!(
                    "outbox: {consumer} still has deliveries (dead letters too) or unread events: let it \
                 finish, or discard them, or retire it with its work"
                )),
            ),
        ];
        self.filled(
            match self.database {
                Database::Postgres => include_str!("postgres/retire_consumer.sql"),
                Database::Sqlite => include_str!("sqlite/retire_consumer.sql"),
            },
            &values,
        )
    }

    fn written(&self, sql: &'static str) -> String {
        let sql = match self.database {
            Database::Postgres => self.namespace.in_schema(sql),
            Database::Sqlite => self.namespace.with_prefix(sql),
        };
        sql.text().to_owned()
    }

    /// The namespace is put in first, and what is put in afterwards is not looked at again.
    fn filled(&self, template: &'static str, values: &[(&str, String)]) -> String {
        let template = self.written(template);
        let mut filled = String::with_capacity(template.len());
        let mut rest = template.as_str();
        while let Some(at) = rest.find(':') {
            let (before, after) = rest.split_at(at);
            filled.push_str(before);
            let name_ends = after[1..]
                .find(|c: char| !c.is_ascii_lowercase() && c != '_')
                .map_or(after.len(), |length| length + 1);
            let (name, after) = after.split_at(name_ends);
            let value = values.iter().find(|(known, _)| *known == name);
            filled.push_str(value.map_or(name, |(_, value)| value));
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    /// `Outbox::migrate()` may have been there first.
    fn unless_applied(&self, number: i32, sql: &'static str) -> String {
        let meta = self.name("meta");
        let is_applied = match number {
            1 => format!("to_regclass({}) is not null", quoted(&meta)),
            _ => format!("(select format_version from {meta}) >= {number}"),
        };
        format!(
            "do $outbox$\nbegin\nif {is_applied} then\n    return;\nend if;\n\n{}\nend\n$outbox$;\n",
            self.written(sql).trim_end(),
        )
    }
}
