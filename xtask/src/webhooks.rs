//! `cargo xtask webhooks`: the real GitHub payloads that tests and the quickstart replay.
//!
//! They come from an npm package, are pinned by version, and live in the build directory: they
//! are somebody else's data and are never committed. Each payload becomes one file with exactly
//! the bytes of the package, numbers included; the event's name is in the file's name, as GitHub
//! sends it beside the payload and not in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::value::RawValue;

use crate::npm;
use crate::scratch::Scratch;
use crate::workspace;

const PACKAGE: &str = "@octokit/webhooks-examples@7.6.1";
/// The folder of the package that holds github.com's payloads, as opposed to those of servers.
const SITE: &str = "api.github.com";
const PAYLOADS: usize = 329;

pub(crate) fn run() -> Result<()> {
    let dir = fetch()?;
    println!("{PAYLOADS} payloads in {}", dir.display());
    Ok(())
}

/// Makes sure that the payloads are there, and says where.
pub(crate) fn fetch() -> Result<PathBuf> {
    let parent = workspace::target_dir().join("webhooks");
    let dir = parent.join(SITE);
    if dir.is_dir() && count_payloads(&dir)? == PAYLOADS {
        return Ok(dir);
    }
    println!("    fetching {PACKAGE}");
    fs::create_dir_all(&parent).with_context(|| format!("cannot create {}", parent.display()))?;
    // Written beside its place and then moved there: half a set is never taken for a whole one.
    let staging = Scratch::in_dir(&parent, "staging")?;
    let index = download(staging.path())?;
    let payloads = staging.path().join("payloads");
    write_payloads(&fs::read_to_string(&index)?, &payloads)?;
    let count = count_payloads(&payloads)?;
    ensure!(count == PAYLOADS, "{PACKAGE} has {count} payloads for {SITE}, not {PAYLOADS}");
    if dir.exists() {
        fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    }
    fs::rename(&payloads, &dir).with_context(|| format!("cannot create {}", dir.display()))?;
    Ok(dir)
}

fn count_payloads(dir: &Path) -> Result<usize> {
    let entries = fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    let mut count = 0;
    for entry in entries {
        count += usize::from(entry?.path().extension().is_some_and(|end| end == "json"));
    }
    Ok(count)
}

/// Downloads and unpacks the package in `dir`; returns its index of payloads.
fn download(dir: &Path) -> Result<PathBuf> {
    let archive = npm::download(PACKAGE, dir).with_context(|| {
        format!(
            "cannot fetch the real webhooks; without a network, put the payloads of an earlier run \
             into {}",
            workspace::target_dir().join("webhooks").join(SITE).display()
        )
    })?;
    Ok(npm::unpack(&archive, dir)?.join(SITE).join("index.json"))
}

/// Writes every payload of the package's index into a new directory.
fn write_payloads(index: &str, dir: &Path) -> Result<()> {
    fs::create_dir(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    for payload in payloads(index).context("the package's index is not what it was")? {
        let path = dir.join(file_name(&payload.event, payload.number)?);
        fs::write(&path, payload.json.get())
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// One example of the package: the `number`th of its event.
struct Payload {
    event: String,
    number: usize,
    json: Box<RawValue>,
}

/// Reads the index: `[{"name": EVENT, "examples": [PAYLOAD, ..], ..}, ..]`.
fn payloads(index: &str) -> Result<Vec<Payload>> {
    let entries: Vec<BTreeMap<String, Box<RawValue>>> = serde_json::from_str(index)?;
    let mut payloads = Vec::new();
    for entry in entries {
        let field = |name| entry.get(name).with_context(|| format!("an entry has no `{name}`"));
        let event: String = serde_json::from_str(field("name")?.get())?;
        let examples: Vec<Box<RawValue>> = serde_json::from_str(field("examples")?.get())?;
        let numbered = examples.into_iter().enumerate();
        payloads.extend(numbered.map(|(number, json)| Payload {
            event: event.clone(),
            number,
            json,
        }));
    }
    Ok(payloads)
}

/// `check_run.004.json`: the event, then which of its examples it is.
fn file_name(event: &str, number: usize) -> Result<String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    ensure!(!event.is_empty() && event.chars().all(plain), "unexpected event name {event:?}");
    Ok(format!("{event}.{number:03}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_holds_the_event_and_the_number() {
        assert_eq!(file_name("check_run", 4).expect("a plain name"), "check_run.004.json");
        assert_eq!(
            file_name("projects_v2_item", 0).expect("a plain name"),
            "projects_v2_item.000.json"
        );
    }

    #[test]
    fn an_event_name_cannot_leave_the_directory() {
        for event in ["", "..", "a/b", "a.b", "A"] {
            assert!(file_name(event, 0).is_err(), "{event:?}");
        }
    }

    #[test]
    fn payloads_keep_their_bytes_and_are_numbered_within_their_event() {
        let index = r#"[
            {"name": "push", "actions": [], "examples": [{"b": 9007199254740993, "a": 1.50}, {}]},
            {"name": "ping", "examples": [{"zen": "x"}]}
        ]"#;
        let read: Vec<_> = payloads(index)
            .expect("a well-formed index")
            .into_iter()
            .map(|payload| (payload.event, payload.number, payload.json.get().to_owned()))
            .collect();
        let expected = [
            ("push", 0, r#"{"b": 9007199254740993, "a": 1.50}"#),
            ("push", 1, "{}"),
            ("ping", 0, r#"{"zen": "x"}"#),
        ];
        assert_eq!(read, expected.map(|(event, number, json)| (event.into(), number, json.into())));
    }

    #[test]
    fn an_index_without_examples_is_refused() {
        let error = payloads(r#"[{"name": "push"}]"#).err().expect("no examples").to_string();
        assert!(error.contains("`examples`"), "{error}");
    }
}
