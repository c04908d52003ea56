//! A new file: its version, its name, its text.

use std::fs;
use std::io::Write;
use std::path::Path;

use chrono::{DateTime, Utc};

use super::needs::plain;
use super::part::{Does, Owner, Part};
use super::state::File;
use crate::schemas::Error;

/// The version of a file, with as many digits as others have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    number: u64,
    digits: usize,
}

impl Version {
    pub(super) fn following(self) -> Self {
        Self { number: self.number + 1, ..self }
    }
}

/// As many digits as a time has: `20261126101112`.
const DIGITS_OF_A_TIME: usize = 14;

/// The version of the next file: a number after the last one where the others are counted, and the
/// time otherwise, as `sqlx migrate add` does.
pub(super) fn next(files: &[File], now: DateTime<Utc>) -> Version {
    let now: u64 = now.format("%Y%m%d%H%M%S").to_string().parse().unwrap_or_default();
    match files.last() {
        Some(last) if last.digits < DIGITS_OF_A_TIME => {
            Version { number: last.version + 1, digits: last.digits }
        }
        Some(last) => Version { number: now.max(last.version + 1), digits: DIGITS_OF_A_TIME },
        None => Version { number: now, digits: DIGITS_OF_A_TIME },
    }
}

/// How long the part of a name that says what a file does may be.
const LONGEST: usize = 60;

/// `20261126101112_outbox_register_payments_charge.sql`.
pub(super) fn name(version: Version, parts: &[Part], is_first: bool) -> String {
    let slugs: Vec<String> =
        parts.iter().filter_map(|part| part.does.slug()).map(|slug| plain(&slug)).collect();
    let slugs = slugs.join("_and_");
    let what = match is_first {
        true => "create",
        false if slugs.len() > LONGEST => "update",
        false => &slugs,
    };
    format!("{:0width$}_outbox_{what}.sql", version.number, width = version.digits)
}

pub(super) fn text(owner: &Owner, parts: &[Part]) -> String {
    let first = Part { does: Does::File(owner.clone()), sql: String::new() };
    let parts: Vec<String> = parts.iter().map(Part::text).collect();
    format!(
        "-- What the registry `{}` needs of its database, by `outbox migrations generate`. Once it has\n\
         -- been applied anywhere it is never changed: what comes later is another file.\n\
         {}\n{}\n",
        owner.registry,
        first.text(),
        parts.join("\n\n"),
    )
}

/// Writes a file that is not there: one that is may have been applied.
pub(super) fn create(path: &Path, text: &str) -> Result<(), Error> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| Error::io(parent, &error))?;
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(|error| Error::io(path, &error))?;
    file.write_all(text.as_bytes()).map_err(|error| Error::io(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(files: &[(u64, usize)]) -> String {
        let file =
            |&(version, digits): &(u64, usize)| File { version, digits, name: String::new() };
        let files: Vec<File> = files.iter().map(file).collect();
        let now = DateTime::from_timestamp(1_795_687_872, 0).unwrap_or_default();
        name(next(&files, now), &[], true)
    }

    #[test]
    fn files_are_counted_as_the_others_are() {
        assert_eq!(after(&[]), "20261126101112_outbox_create.sql");
        assert_eq!(after(&[(1, 4), (9, 4)]), "0010_outbox_create.sql");
        assert_eq!(after(&[(20_250_101_000_000, 14)]), "20261126101112_outbox_create.sql");
    }

    #[test]
    fn a_file_comes_after_all_others_whatever_the_clock_says() {
        assert_eq!(after(&[(20_301_231_235_959, 14)]), "20301231235960_outbox_create.sql");
    }
}
