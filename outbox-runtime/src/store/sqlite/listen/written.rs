//! Whether somebody has written to a database, as its file system tells: a hundredth of what a look costs.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How long after the last write something may come of it: it is visible once it is on the disk, and the clock of
/// files moves in steps of some milliseconds.
const LATELY: Duration = Duration::from_secs(1);

/// The write-ahead log of a database, to which whatever is committed is written first.
#[derive(Debug)]
pub(super) struct Written {
    file: Option<PathBuf>,
    /// When, as seen last, and how long it was.
    last: Option<(SystemTime, u64)>,
    /// Whether that was long ago then.
    is_long_ago: bool,
}

impl Written {
    pub(super) fn to(database: &Path) -> Self {
        // It is beside the database itself, wherever a link to it is.
        let file = fs::canonicalize(database).ok().map(|database| {
            let mut name = OsString::from(database);
            name.push("-wal");
            PathBuf::from(name)
        });
        Self { file, last: None, is_long_ago: false }
    }

    /// Whether something may have been committed since the last call. Where the file system does not tell,
    /// it may.
    pub(super) fn lately(&mut self) -> bool {
        let Some(now) = self.file.as_deref().and_then(look) else {
            self.last = None;
            return true;
        };
        let is_same = self.last == Some(now);
        let may_have = !is_same || !self.is_long_ago;
        // A clock that was set back says nothing.
        self.is_long_ago = now.0.elapsed().is_ok_and(|age| age > LATELY);
        self.last = Some(now);
        may_have
    }
}

fn look(file: &Path) -> Option<(SystemTime, u64)> {
    let found = fs::metadata(file).ok()?;
    Some((found.modified().ok()?, found.len()))
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn what_was_written_to_is_looked_at_for_a_while() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("a.db");
        File::create(&database).expect("a file");
        let mut written = Written::to(&database);
        assert!(written.lately() && written.lately(), "there is no log to look at");

        let log = File::create(folder.path().join("a.db-wal")).expect("a file");
        assert!(written.lately() && written.lately(), "it was written a moment ago");
        let long_ago = SystemTime::now().checked_sub(LATELY * 2).expect("a time");
        log.set_modified(long_ago).expect("another time");
        assert!(written.lately(), "it is another time");
        assert!(!written.lately() && !written.lately());
        log.set_modified(long_ago + LATELY / 2).expect("another time");
        assert!(written.lately() && !written.lately());
        log.set_len(1).expect("another length");
        log.set_modified(SystemTime::now() + LATELY).expect("another time");
        assert!(written.lately() && written.lately(), "the clock was set back since");
    }

    #[test]
    fn what_is_no_file_is_looked_at() {
        let mut written = Written::to(Path::new(":memory:"));
        assert!(written.lately() && written.lately());
    }
}
