//! Printing.

use std::io::Write;

/// So many of something whose plural has an `s`.
pub(super) fn counted(count: u64, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

/// Prints a text. Whoever reads it may have gone away, as `head` does.
pub(super) fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
