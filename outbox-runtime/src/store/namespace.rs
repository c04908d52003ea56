//! Where the tables are: the one place in which a schema name or prefix meets SQL text.

use std::borrow::Cow;
use std::sync::Arc;

use sqlx::AssertSqlSafe;

use crate::error::Result;
use crate::name::check_identifier;

/// The name that the SQL files are written with.
const WRITTEN: &str = "outbox";

/// The schema (Postgres) or prefix (SQLite) of the tables: checked, so it needs no escaping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace(Cow<'static, str>);

impl Default for Namespace {
    fn default() -> Self {
        Self(Cow::Borrowed(WRITTEN))
    }
}

impl Namespace {
    /// Postgres cuts identifiers at 63 bytes; index names add up to 15 to it.
    const MAX_BYTES: usize = 48;

    pub(crate) fn new(name: &str) -> Result<Self> {
        check_identifier("schema name or table prefix", name, Self::MAX_BYTES)?;
        Ok(Self(Cow::Owned(name.to_owned())))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The text of an SQL file for this schema: the files write `"outbox".` before every name, and
    /// `"outbox_wake"` for the channel.
    pub(crate) fn in_schema(&self, sql: &'static str) -> Sql {
        let sql = self.render(sql, "\"outbox\"", || format!("\"{}\"", self.0));
        if self.0 == WRITTEN {
            return sql;
        }
        Sql::new(sql.text.replace("\"outbox_wake\"", &format!("\"{}\"", self.channel())))
    }

    /// The channel of `LISTEN` and `NOTIFY`, without quotes.
    pub(crate) fn channel(&self) -> String {
        format!("{}_wake", self.0)
    }

    /// The text of an SQL file for this prefix: the files write `"outbox_name"` for every name.
    pub(crate) fn with_prefix(&self, sql: &'static str) -> Sql {
        self.render(sql, "\"outbox_", || format!("\"{}_", self.0))
    }

    fn render(&self, sql: &'static str, written: &str, wanted: impl Fn() -> String) -> Sql {
        if self.0 == WRITTEN {
            return Sql::new(sql);
        }
        Sql::new(sql.replace(written, &wanted()))
    }
}

/// SQL text from a file of this crate, with nothing put into it but a checked namespace.
#[derive(Clone, Debug)]
pub(crate) struct Sql {
    text: Arc<str>,
    #[cfg(feature = "postgres")]
    unnamed: bool,
}

impl Sql {
    fn new(text: impl Into<Arc<str>>) -> Self {
        Self {
            text: text.into(),
            #[cfg(feature = "postgres")]
            unnamed: false,
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn safe(&self) -> AssertSqlSafe<Arc<str>> {
        AssertSqlSafe(Arc::clone(&self.text))
    }
}

#[cfg(feature = "postgres")]
impl Sql {
    /// The same as a statement that leaves no name on the server.
    pub(crate) fn unnamed(self) -> Self {
        Self { unnamed: true, ..self }
    }

    pub(crate) fn may_be_named(&self) -> bool {
        !self.unnamed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_channel_follows_the_namespace_and_stays_within_an_identifier() {
        let written = "notify \"outbox_wake\"";
        assert_eq!(Namespace::default().in_schema(written).text(), written);
        let longest = "n".repeat(Namespace::MAX_BYTES);
        for name in ["shop", "outbox_2", &longest] {
            let namespace = Namespace::new(name).expect("a plain identifier");
            let expected = format!("notify \"{name}_wake\"");
            assert_eq!(namespace.in_schema(written).text(), expected);
            assert!(namespace.channel().len() <= 63);
        }
    }
}
