//! The JSON Schemas of every version of every event, as files that are committed: what each writes and
//! what each reads, and a lock that says what was released.
//!
//! ```text
//! schemas/order.placed/v1.write.json  v1.read.json  v2.write.json  v2.read.json
//! schemas/outbox.lock
//! ```
//!
//! A version changes freely until it is released. From then on somebody may have events of it in a log,
//! and somebody may still read as it did; so its schemas stay as they are for the gate ([`gate`](crate::gate)), also
//! after it has changed in a way that both can bear: then the earlier ones are kept as
//! `v1.r1.write.json` and so on, and every later change is held against all of them.
//!
//! The files are the same on every machine: one generator per event, keys in alphabetical order, two
//! spaces, a line feed at the end.
//!
//! ```
//! use outbox_codegen::schemas::{self, Snapshot};
//! use outbox_runtime::{Event, Registry, registry};
//! # use schemars::JsonSchema;
//! # use serde::{Deserialize, Serialize};
//!
//! #[derive(Event, Serialize, Deserialize, JsonSchema)]
//! #[event(name = "order.placed", version = 1)]
//! struct OrderPlaced { total: i64 }
//!
//! registry! {
//!     struct Shop;
//!     events: [OrderPlaced],
//! }
//!
//! let code = Snapshot::of(&Shop::registry());
//! let folder = std::env::temp_dir().join(format!("schemas-{}", std::process::id()));
//! assert_eq!(schemas::check(&code, &folder)?.len(), 3);
//! schemas::generate(&code, &folder)?;
//! assert_eq!(schemas::check(&code, &folder)?, []);
//!
//! assert_eq!(schemas::release(&folder, &[])?, ["order.placed version 1"]);
//! # std::fs::remove_dir_all(folder).expect("removed");
//! # Ok::<(), schemas::Error>(())
//! ```

mod error;
mod folder;
mod lock;
mod reading;
mod revision;
mod schema;
mod snapshot;
mod source;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

pub use error::Error;
pub use lock::FILE as LOCK;
pub use revision::{Alias, Reading, Revision, hash};
pub use schema::Schema;
pub use snapshot::{Consumer, Declared, Facts, Snapshot, State, Version};

use crate::parallel;
use folder::Extent;
use source::Source;

/// A file that is not as the code says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// The file is missing.
    Missing(PathBuf),
    /// The file says something else: a unified diff, from what it says to what it should say.
    Stale(PathBuf, String),
    /// The file is of a version that the code does not have, and that was never released.
    Left(PathBuf),
}

/// A revision that need not be lived with any more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Superseded {
    /// The event's name.
    pub event: String,
    /// The event's version.
    pub version: u32,
    /// The revision's number, from 1.
    pub revision: usize,
}

/// What a folder has committed.
///
/// # Errors
///
/// When a file cannot be read, or is not what the lock says.
pub fn load(folder: &Path) -> Result<Snapshot, Error> {
    folder::load(&Source::folder(folder), Extent::All)
}

/// What a folder has released, now or at a revision of its git repository. A version that was never
/// released is left out.
///
/// # Errors
///
/// When a file cannot be read, or is not what the lock says, or git does not know the revision.
pub fn released(folder: &Path, revision: Option<&str>) -> Result<Snapshot, Error> {
    let source = match revision {
        None => Source::folder(folder),
        Some(revision) => Source::commit(revision, folder)?,
    };
    folder::load(&source, Extent::Released)
}

/// Writes what the code says below `folder`, and deletes what is left of versions that are gone and
/// were never released.
///
/// The lock is written last. Whatever stops it in between, it can be run again.
///
/// # Errors
///
/// When a file cannot be read or written, or what was released is not what the lock says.
pub fn generate(code: &Snapshot, folder: &Path) -> Result<(), Error> {
    let next = next(code, &released(folder, None)?);
    write(&next, folder)
}

/// Compares the files below `folder` with what the code says; writes nothing.
///
/// # Errors
///
/// As [`generate`].
pub fn check(code: &Snapshot, folder: &Path) -> Result<Vec<Difference>, Error> {
    let expected = folder::files(&next(code, &released(folder, None)?));
    let source = Source::folder(folder);
    let all: Vec<_> = expected.iter().collect();
    let of_file = |(path, text): &(&PathBuf, &String)| -> Result<Option<Difference>, Error> {
        Ok(match source.read(path)? {
            Some(found) if found == **text => None,
            Some(found) => Some(Difference::Stale((*path).clone(), unified(path, &found, text))),
            None => Some(Difference::Missing((*path).clone())),
        })
    };
    let mut differences = Vec::new();
    for difference in parallel::map(&all, of_file) {
        differences.extend(difference?);
    }
    differences.extend(left(&expected, folder)?.into_iter().map(Difference::Left));
    Ok(differences)
}

/// Freezes what is not released: from now on the gate holds every change against it. Returns the
/// versions that were released by this.
///
/// Of a version that is released, the `superseded` revisions are forgotten: what breaks with them was let
/// pass ([`Report::superseded`](crate::gate::Report::superseded)).
///
/// # Errors
///
/// As [`load`], and when a file cannot be written.
pub fn release(folder: &Path, superseded: &[Superseded]) -> Result<Vec<String>, Error> {
    let mut snapshot = load(folder)?;
    let mut names = Vec::new();
    for version in &mut snapshot.versions {
        if matches!(version.state(), State::Unreleased | State::Changed) {
            let is_kept = |number: usize| {
                let is_it = |one: &Superseded| {
                    one.event == version.name
                        && one.version == version.version
                        && one.revision == number
                };
                !superseded.iter().any(is_it)
            };
            let all = std::mem::take(&mut version.released);
            let kept = (1..).zip(all).filter(|(number, _)| is_kept(*number));
            version.released = kept.map(|(_, revision)| revision).collect();
            version.released.push(version.current.clone());
            names.push(version.to_string());
        }
    }
    write(&snapshot, folder)?;
    Ok(names)
}

/// Forgets a version that was released and that the code has no more: when no log holds an event of it.
///
/// # Errors
///
/// As [`load`]; when there is no such version, or the code still has it; and when a file cannot be
/// written.
pub fn forget(folder: &Path, name: &str, version: u32) -> Result<(), Error> {
    let mut snapshot = load(folder)?;
    let shown = folder.join(LOCK);
    let Ok(place) = snapshot.place(name, version) else {
        return Err(Error::unusable(
            shown.display(),
            format!("it has no {name} version {version}"),
        ));
    };
    if snapshot.versions[place].state() != State::Removed {
        let why = format!(
            "the code still has {name} version {version}: remove its type first, then run `outbox \
             schemas generate`"
        );
        return Err(Error::unusable(shown.display(), why));
    }
    snapshot.versions.remove(place);
    write(&snapshot, folder)
}

/// What the code says, with what was released.
fn next(code: &Snapshot, released: &Snapshot) -> Snapshot {
    let mut next = code.clone();
    let mut gone = Vec::new();
    for old in &released.versions {
        match next.place(&old.name, old.version) {
            Ok(place) => next.versions[place].released.clone_from(&old.released),
            Err(_) => gone.push(Version { removed: true, ..old.clone() }),
        }
    }
    next.versions.extend(gone);
    next.versions.sort_by(|a, b| a.id().cmp(&b.id()));
    next
}

fn write(snapshot: &Snapshot, folder: &Path) -> Result<(), Error> {
    let files = folder::files(snapshot);
    let lock = Path::new(LOCK);
    let (locks, schemas): (Vec<_>, Vec<_>) = files.iter().partition(|(path, _)| *path == lock);
    for (path, text) in schemas.into_iter().chain(locks) {
        let path = folder.join(path);
        if std::fs::read_to_string(&path).is_ok_and(|found| found == *text) {
            continue;
        }
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).map_err(|error| Error::io(parent, &error))?;
        std::fs::write(&path, text).map_err(|error| Error::io(&path, &error))?;
    }
    for path in left(&files, folder)? {
        let path = folder.join(path);
        std::fs::remove_file(&path).map_err(|error| Error::io(&path, &error))?;
        // An event that is gone leaves no folder. (This fails where it holds something else.)
        if let Some(parent) = path.parent().filter(|parent| *parent != folder) {
            let _ = std::fs::remove_dir(parent);
        }
    }
    Ok(())
}

/// Schemas that are there and should not be.
fn left(expected: &BTreeMap<PathBuf, String>, folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut present = folder::present(folder)?;
    present.retain(|path| !expected.contains_key(path));
    Ok(present)
}

/// What changes a text into another one, as a unified diff.
pub(crate) fn unified(path: &Path, found: &str, expected: &str) -> String {
    let name = path.display().to_string();
    similar::TextDiff::from_lines(found, expected)
        .unified_diff()
        .context_radius(3)
        .header(&name, &format!("{name} (as the code is)"))
        .to_string()
}

impl Difference {
    /// The file, below the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Missing(path) | Self::Stale(path, _) | Self::Left(path) => path,
        }
    }
}

/// The path, and what is wrong there.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(f, "{} is missing", path.display()),
            Self::Stale(path, diff) => {
                write!(f, "{} is not what the code says:\n{diff}", path.display())
            }
            Self::Left(path) => write!(
                f,
                "{} is of a version that the code does not have, and that was never released",
                path.display()
            ),
        }
    }
}
