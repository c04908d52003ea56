//! Names that are stored for ever: of events, consumers, schemas and table prefixes.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};

/// Longest name of an event or a consumer, in bytes.
pub const MAX_NAME_BYTES: usize = 128;

/// A checked event name: lowercase segments of `[a-z0-9_-]` joined by `.`, `:` or `/`.
///
/// ```
/// use outbox_runtime::EventName;
///
/// assert_eq!(EventName::new("stripe:invoice.paid")?.as_str(), "stripe:invoice.paid");
/// # Ok::<(), outbox_runtime::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventName(String);

impl EventName {
    /// Checks a name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidName`] when it is empty, longer than [`MAX_NAME_BYTES`], or has another
    /// character or an empty segment.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        check("event", &name)?;
        Ok(Self(name))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a name of an event or consumer is well-formed; usable in const evaluation.
#[must_use]
pub const fn is_valid_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.len() > MAX_NAME_BYTES {
        return false;
    }
    let mut in_segment = false;
    let mut index = 0;
    while index < bytes.len() {
        match bytes[index] {
            b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => in_segment = true,
            b'.' | b':' | b'/' if in_segment => in_segment = false,
            _ => return false,
        }
        index += 1;
    }
    in_segment
}

pub(crate) fn check(what: &str, name: &str) -> Result<()> {
    if is_valid_name(name) {
        return Ok(());
    }
    let shown: String = name.chars().take(MAX_NAME_BYTES + 1).collect();
    Err(Error::new(
        ErrorKind::InvalidName,
        "check a name",
        format!(
            "`{shown}` is not a valid {what} name: write 1 to {MAX_NAME_BYTES} bytes, lowercase \
             segments of a-z, 0-9, `_` and `-` joined by `.`, `:` or `/`"
        ),
    ))
}

/// Checks a schema name or a table prefix: an SQL identifier that needs no folding.
pub(crate) fn check_identifier(what: &str, name: &str, max_bytes: usize) -> Result<()> {
    let mut chars = name.chars();
    let starts_well = chars.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_');
    let goes_well = chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if starts_well && goes_well && name.len() <= max_bytes && !name.starts_with("pg_") {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidName,
        "check a name",
        format!(
            "`{name}` is not a valid {what}: write at most {max_bytes} characters of a-z, 0-9 and \
             `_`, not starting with a digit or `pg_`"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_use_out_there_are_valid() {
        for name in ["machine:created", "stripe:invoice.paid", "order.placed", "a", "rpc/x-y_z"] {
            assert!(is_valid_name(name), "{name}");
        }
    }

    #[test]
    fn malformed_names_are_not() {
        let long = "a".repeat(129);
        for name in ["", "Order", "a b", "a..b", ".a", "a.", "é", &long, "a\0"] {
            assert!(!is_valid_name(name), "{name}");
        }
    }

    #[test]
    fn identifiers_need_no_quoting() {
        assert!(check_identifier("schema", "outbox_2", 48).is_ok());
        for name in ["", "Outbox", "1a", "a\"b", "a-b", "pg_x", &"a".repeat(49)] {
            assert!(check_identifier("schema", name, 48).is_err(), "{name}");
        }
    }
}
