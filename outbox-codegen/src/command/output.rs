//! Printing.

use std::io::Write;

/// Prints a text. Whoever reads it may have gone away, as `head` does.
pub(super) fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
