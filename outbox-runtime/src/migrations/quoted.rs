//! Literals of SQL.

/// A text as a literal that both databases read, whatever is in it.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
