//! Reading folders of webhooks.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A larger file is not read. (What is stored has a smaller limit, and the outbox enforces it.)
const MAX_FILE_BYTES: u64 = 8 * 1024 * 1024;

/// A webhook, as it was sent.
#[derive(Debug)]
pub(crate) struct Webhook {
    /// GitHub sends one with each webhook, and the same one when it sends the webhook again.
    pub(crate) delivery_id: String,
    /// The file's name up to the first dot.
    pub(crate) kind: String,
    /// `owner/name`, if it is about a repository.
    pub(crate) repository: Option<String>,
    /// The very bytes.
    pub(crate) body: String,
    /// The same, parsed: always an object.
    pub(crate) json: Value,
}

/// The files of a folder, in the order of their names.
#[derive(Debug)]
pub(crate) struct Files {
    folder: PathBuf,
    files: Vec<PathBuf>,
}

/// The webhooks that come with this example.
pub(crate) fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("webhooks")
}

/// Lists a folder.
pub(crate) fn list(folder: &Path) -> Result<Files> {
    let cannot = || format!("cannot read the folder {}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        files.push(entry.with_context(cannot)?.path());
    }
    ensure!(!files.is_empty(), "there are no files in {}", folder.display());
    files.sort();
    Ok(Files { folder: folder.to_owned(), files })
}

impl Files {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(PathBuf::as_path)
    }

    /// The folder as a person would name it.
    pub(crate) fn name(&self) -> String {
        let here = std::env::current_dir().unwrap_or_default();
        self.folder.strip_prefix(here).unwrap_or(&self.folder).display().to_string()
    }

    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }
}

impl Webhook {
    /// Reads a file, or says why it is not a webhook.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let bytes = read_bytes(path)?;
        let delivery_id = delivery_id(path, &bytes);
        let body = String::from_utf8(bytes).map_err(|error| format!("not UTF-8: {error}"))?;
        if body.trim().is_empty() {
            return Err("empty".to_owned());
        }
        let json: Value = serde_json::from_str(&body)
            .map_err(|error| format!("cannot be read as JSON: {error}"))?;
        if let Some(other) = not_an_object(&json) {
            return Err(format!("not a JSON object but {other}"));
        }
        let repository = json.pointer("/repository/full_name").and_then(Value::as_str);
        let repository = repository.filter(|name| is_printable(name)).map(str::to_owned);
        Ok(Self { delivery_id, kind: kind(path), repository, body, json })
    }
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, String> {
    let cannot = |error| format!("cannot be read: {error}");
    let metadata = fs::metadata(path).map_err(cannot)?;
    if metadata.is_dir() {
        return Err("a folder".to_owned());
    }
    if !metadata.is_file() {
        // Reading a pipe would wait for ever.
        return Err("not a regular file".to_owned());
    }
    if metadata.len() > MAX_FILE_BYTES {
        let bytes = metadata.len();
        return Err(format!("{bytes} bytes, more than the limit of {MAX_FILE_BYTES}"));
    }
    fs::read(path).map_err(cannot)
}

fn not_an_object(json: &Value) -> Option<&'static str> {
    match json {
        Value::Object(_) => None,
        Value::Array(_) => Some("an array"),
        Value::String(_) => Some("a string"),
        Value::Number(_) => Some("a number"),
        Value::Bool(_) => Some("a boolean"),
        Value::Null => Some("null"),
    }
}

/// `check_run` of `check_run.004.json`, or `unknown`.
fn kind(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let word = name.split('.').next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    let is_word = !word.is_empty() && word.len() <= 64 && word.chars().all(plain);
    if is_word { word.to_owned() } else { "unknown".to_owned() }
}

/// `push.001-9d0f3ab2c4e5f607`: the same for the same file in any folder, and another one for
/// anything else. It is made of the file's name and bytes, since a file does not come with an id.
fn delivery_id(path: &Path, bytes: &[u8]) -> String {
    let name = path.file_name().unwrap_or_default();
    let digest = Sha256::new()
        .chain_update(name.as_encoded_bytes())
        .chain_update([0])
        .chain_update(bytes)
        .finalize();
    let hex: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{hex}", path.file_stem().unwrap_or_default().to_string_lossy())
}

fn is_printable(name: &str) -> bool {
    !name.is_empty() && !name.contains(char::is_control)
}
