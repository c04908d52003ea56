//! What keeps a command from answering.

use std::fmt;
use std::path::Path;

/// Why there is no answer: something that was given cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    message: String,
}

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }

    /// About a file or folder.
    pub(crate) fn unusable(shown: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self::new(format!("{shown}: {why}"))
    }

    pub(crate) fn io(path: &Path, error: &std::io::Error) -> Self {
        Self::unusable(path.display(), error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<outbox_runtime::Error> for Error {
    fn from(error: outbox_runtime::Error) -> Self {
        Self::new(error.to_string())
    }
}
