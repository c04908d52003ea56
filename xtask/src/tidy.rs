//! `cargo xtask tidy`: the rules on the sources that no compiler and no linter checks. Each says
//! what to do instead; the reasons are in CONTRIBUTING.md.

mod databases;
mod sources;
mod text;

use std::fmt;

use anyhow::{Result, bail};

use self::sources::Source;
use crate::workspace;

pub(crate) fn run() -> Result<()> {
    let root = workspace::root();
    let sources = sources::read(&root)?;
    let mut findings: Vec<Finding> = sources.iter().flat_map(text::check).collect();
    findings.extend(databases::check(&sources));
    if findings.is_empty() {
        println!("    {} files are tidy", sources.len());
        return Ok(());
    }
    for finding in &findings {
        println!("{finding}");
    }
    bail!("rules broken: {}, listed above", findings.len())
}

/// A broken rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    /// From 1; none when the whole file is meant.
    line: Option<usize>,
    message: String,
}

impl Finding {
    fn in_file(path: &str, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: None, message: message.into() }
    }

    fn at_line(source: &Source, line: usize, message: impl Into<String>) -> Self {
        Self { path: source.path.clone(), line: Some(line), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, message } = self;
        match line {
            Some(line) => write!(f, "{path}:{line}: {message}"),
            None => write!(f, "{path}: {message}"),
        }
    }
}
