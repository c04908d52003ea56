//! Literals of SQL.

/// A text as a literal that both databases read, whatever is in it. (Names of events and consumers
/// have nothing in them that would matter; a default in a schema may have anything.)
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
