//! A folder of committed schemas: the names of its files, reading and writing it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::error::Error;
use super::lock::{self, Entry, Hashes, Lock};
use super::revision::Revision;
use super::schema::Schema;
use super::snapshot::{Snapshot, State, Version};
use super::source::Source;
use crate::parallel;

/// How much of a folder is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Everything.
    All,
    /// What was released. The rest may be missing, or be anything.
    Released,
}

/// What a source holds; nothing where it has no lock.
pub(super) fn load(source: &Source, extent: Extent) -> Result<Snapshot, Error> {
    let file = Path::new(lock::FILE);
    let Some(text) = source.read(file)? else { return Ok(Snapshot::default()) };
    let lock = Lock::parse(&text, &source.shown(file))?;
    let versions = parallel::map(&lock.events, |entry| version(source, entry, extent));
    let versions: Result<Vec<Option<Version>>, Error> = versions.into_iter().collect();
    let mut versions: Vec<Version> = versions?.into_iter().flatten().collect();
    versions.sort_by(|a, b| a.id().cmp(&b.id()));
    if let Some(twins) = versions.windows(2).find(|pair| pair[0].id() == pair[1].id()) {
        let twice = format!("it has {} twice: were two branches merged?", twins[0]);
        return Err(Error::unusable(source.shown(file), twice));
    }
    Ok(Snapshot { versions, consumers: lock.consumers })
}

fn version(source: &Source, entry: &Entry, extent: Extent) -> Result<Option<Version>, Error> {
    let Entry { name, version, state, facts, current, released: hashes } = entry;
    let (version, state) = (*version, *state);
    let is_current_released = matches!(state, State::Released | State::Removed);
    let mut released = Vec::with_capacity(hashes.len());
    let last = hashes.len();
    for (number, expected) in (1..).zip(hashes) {
        let from = |place| revision(source, name, version, place, expected, Trust::Frozen);
        released.push(match number == last && is_current_released {
            false => from(Place::Revision(number))?,
            // (Whoever wrote the files of a change, and died before the lock, had kept it there.)
            true => from(Place::Current)
                .or_else(|error| from(Place::Revision(number)).map_err(|_| error))?,
        });
    }
    let current = match (extent, state, released.last()) {
        (_, State::Released | State::Removed, Some(last)) => last.clone(),
        (_, State::Released | State::Removed, None) => {
            let none = format!("{name} version {version} is released, and no revision of it is");
            return Err(Error::unusable(source.shown(Path::new(lock::FILE)), none));
        }
        (Extent::Released, _, Some(last)) => last.clone(),
        (Extent::Released, _, None) => return Ok(None),
        (Extent::All, ..) => {
            revision(source, name, version, Place::Current, current, Trust::Generated)?
        }
    };
    Ok(Some(Version {
        name: name.clone(),
        version,
        current,
        released,
        removed: state == State::Removed,
        facts: facts.clone(),
        declared: None,
    }))
}

/// Where the schemas of a revision are.
#[derive(Clone, Copy, Debug)]
enum Place {
    Current,
    /// An older one, by its number from 1.
    Revision(usize),
}

/// What to do about a file that is not what the lock says.
#[derive(Clone, Copy, Debug)]
enum Trust {
    Frozen,
    Generated,
}

fn revision(
    source: &Source,
    name: &str,
    version: u32,
    place: Place,
    expected: &Hashes,
    trust: Trust,
) -> Result<Revision, Error> {
    let advice = match trust {
        Trust::Frozen => {
            "what was released is not to be edited: restore the file, for example with `git checkout`"
        }
        Trust::Generated => "write it anew with `outbox schemas generate`",
    };
    let read = |contract: &str| -> Result<Schema, Error> {
        let path = path(name, version, place, contract);
        let shown = source.shown(&path);
        let text = source.read(&path)?;
        let text =
            text.ok_or_else(|| Error::unusable(&shown, format!("it is missing; {advice}")))?;
        let not_json =
            |error| Error::unusable(&shown, format!("it is not JSON ({error}); {advice}"));
        serde_json::from_str(&text).map(Value::into).map_err(not_json)
    };
    let found =
        Revision { write: read("write")?, read: read("read")?, reading: expected.reading.clone() };
    let hashes = Hashes::of(&found);
    for (contract, found, expected) in
        [("write", &hashes.write, &expected.write), ("read", &hashes.read, &expected.read)]
    {
        if found != expected {
            let shown = source.shown(&path(name, version, place, contract));
            let why =
                format!("it is not the schema that `{}` has the hash of; {advice}", lock::FILE);
            return Err(Error::unusable(shown, why));
        }
    }
    Ok(found)
}

fn path(name: &str, version: u32, place: Place, contract: &str) -> PathBuf {
    let file = match place {
        Place::Current => format!("v{version}.{contract}.json"),
        Place::Revision(number) => format!("v{version}.r{number}.{contract}.json"),
    };
    Path::new(name).join(file)
}

/// The files of a snapshot, by path, with their contents; the lock among them.
pub(super) fn files(snapshot: &Snapshot) -> BTreeMap<PathBuf, String> {
    let files = parallel::map(&snapshot.versions, files_of);
    let lock = (PathBuf::from(lock::FILE), Lock::of(snapshot).text());
    files.into_iter().flatten().chain([lock]).collect()
}

fn files_of(version: &Version) -> Vec<(PathBuf, String)> {
    let older = match version.state() {
        State::Unreleased | State::Changed => version.released.len(),
        State::Released | State::Removed => version.released.len() - 1,
    };
    let older = (1..).zip(&version.released[..older]);
    let older = older.map(|(number, revision)| (Place::Revision(number), revision));
    let all = older.chain([(Place::Current, &version.current)]);
    let two = |(place, revision): (Place, &Revision)| {
        [("write", &revision.write), ("read", &revision.read)].map(|(contract, schema)| {
            let path = path(&version.name, version.version, place, contract);
            let mut text = pretty(schema);
            text.push('\n');
            (path, text)
        })
    };
    all.flat_map(two).collect()
}

/// The text of a value with its keys in order, whatever features `serde_json` was built with.
fn pretty(value: &Value) -> String {
    let sorted = (!is_sorted(value)).then(|| sorted(value));
    serde_json::to_string_pretty(sorted.as_ref().unwrap_or(value)).expect("it is JSON already")
}

fn is_sorted(value: &Value) -> bool {
    match value {
        Value::Object(entries) => entries.keys().is_sorted() && entries.values().all(is_sorted),
        Value::Array(items) => items.iter().all(is_sorted),
        _ => true,
    }
}

/// The same value with its keys in order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let sorted: Map<_, _> =
                entries.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            Value::Object(sorted)
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// Every file below a folder that has the name of a schema of some version.
pub(super) fn present(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(below) = folders.pop() {
        let path = folder.join(&below);
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Error::io(&path, &error)),
        };
        for entry in entries {
            let entry = entry.map_err(|error| Error::io(&path, &error))?;
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let below = below.join(entry.file_name());
            if is_folder {
                folders.push(below);
            } else if entry.file_name().to_str().is_some_and(is_schema) {
                found.push(below);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a file's name is `v1.write.json`, `v1.r2.read.json` or the like.
fn is_schema(file: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = file.split('.').collect();
    let (version, revision, contract) = match parts[..] {
        [version, contract, "json"] => (version, None, contract),
        [version, revision, contract, "json"] => (version, Some(revision), contract),
        _ => return false,
    };
    version.strip_prefix('v').is_some_and(is_number)
        && revision.is_none_or(|text| text.strip_prefix('r').is_some_and(is_number))
        && ["write", "read"].contains(&contract)
}
