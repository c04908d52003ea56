//! Where in the sources a lint points.

use std::fmt;

use outbox_runtime::Declaration;

/// A line of a source file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Place {
    /// The file: of an item of a registry as the compiler was given it, of a source that was read as it
    /// was found below the folder.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

impl Place {
    /// Where something was declared, if that is known.
    pub(super) fn of(declared: &Declaration) -> Option<Self> {
        let file = declared.file.to_owned();
        (!file.is_empty()).then_some(Self { file, line: declared.line })
    }
}

/// `file:line`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
