//! What is annotated in the sources of a crate and listed in no registry.

mod attributes;
mod files;
mod names;
mod scan;

use std::io;
use std::path::Path;

use outbox_runtime::{Declaration, RegistryInfo};

use self::attributes::Kind;
use self::scan::Found;
use super::{Lint, Place, Severity};

/// The annotated items below a folder that the registry does not list: events, emitting handlers and
/// consumers, in the order of the files and lines.
///
/// The folder is the one of a crate's sources, as in `concat!(env!("CARGO_MANIFEST_DIR"), "/src")`, and
/// the registry the one with everything that the crate runs. Left out is what only tests compile
/// (`#[cfg(test)]`, and the files of such modules), and what is in strings, comments and the arguments
/// and definitions of macros. Attributes are known by their last name (`outbox_runtime::consumer`), or by
/// the one that the file imports them under (`use outbox_runtime::consumer as job`), and read through
/// `cfg_attr`.
///
/// # Errors
///
/// When a file or folder cannot be read. A file that is no Rust is a lint.
pub fn unlisted(sources: &Path, registry: &RegistryInfo) -> io::Result<Vec<Lint>> {
    let files = files::read(sources)?;
    let (mut scanned, mut unreadable) = (Vec::new(), Vec::new());
    for file in &files {
        match syn::parse_file(&file.text) {
            Ok(parsed) => scanned.push((file, scan::file(&file.path, &parsed))),
            Err(error) => unreadable.push((file, error)),
        }
    }
    let of_tests: Vec<_> = scanned.iter().flat_map(|(_, scan)| &scan.of_tests).collect();
    let is_of_tests = |path: &Path| of_tests.iter().any(|test| path.starts_with(test));
    let conditional: Vec<_> =
        scanned.iter().flat_map(|(_, scan)| &scan.conditional_files).collect();
    let is_conditional = |path: &Path| conditional.iter().any(|below| path.starts_with(below));
    let mut lints = Vec::new();
    for (file, scan) in &scanned {
        if !is_of_tests(&file.path) {
            let is_conditional = is_conditional(&file.path);
            let items = scan.found.iter().filter(|item| !is_listed(&file.path, item, registry));
            lints.extend(items.map(|item| lint(&file.shown, item, is_conditional, registry.name)));
        }
    }
    let unreadable = unreadable.into_iter().filter(|(file, _)| !is_of_tests(&file.path));
    lints.extend(unreadable.map(|(file, error)| no_rust(&file.shown, &error)));
    lints.sort_by(|a, b| a.place.cmp(&b.place));
    Ok(lints)
}

/// Whether the registry has the item: by its name, and by where it was declared. (What was implemented
/// by hand does not say where.)
fn is_listed(path: &Path, item: &Found, registry: &RegistryInfo) -> bool {
    let name = item.name.as_deref();
    let is_here = |declared: &Declaration| {
        let file = declared.file.replace('\\', "/");
        let same_file = path.file_name() == Path::new(&file).file_name();
        file.is_empty() || (declared.line == item.line && same_file)
    };
    match item.kind {
        Kind::Event => registry.events.iter().any(|event| {
            Some(event.name) == name && event.version == item.version && is_here(&event.declared)
        }),
        Kind::Handler => registry
            .handlers
            .iter()
            .any(|handler| handler.name == item.ident && is_here(&handler.declared)),
        Kind::Consumer => registry
            .consumers
            .iter()
            .any(|consumer| Some(consumer.options.name) == name && is_here(&consumer.declared)),
    }
}

fn lint(file: &str, item: &Found, is_conditional: bool, registry: &str) -> Lint {
    let Found { ident, line, .. } = item;
    let name = item.name.as_deref().unwrap_or_default();
    let (id, what, list) = match item.kind {
        Kind::Event => ("unlisted-event", format!("event `{name}` v{}", item.version), "events"),
        Kind::Handler => ("unlisted-handler", "handler".to_owned(), "handlers"),
        Kind::Consumer => ("unlisted-consumer", format!("consumer `{name}`"), "consumers"),
    };
    let condition = match item.conditional || is_conditional {
        true => "; ignore this if its `cfg` is off in this build",
        false => "",
    };
    Lint {
        id,
        severity: Severity::Warning,
        message: format!("{what} (`{ident}`) is not in registry `{registry}`"),
        place: Some(Place { file: file.to_owned(), line: *line }),
        help: format!("add `{ident}` to `{list}` of a registry{condition}"),
    }
}

fn no_rust(file: &str, error: &syn::Error) -> Lint {
    let line = u32::try_from(error.span().start().line).unwrap_or_default();
    Lint {
        id: "unreadable-source",
        severity: Severity::Error,
        message: format!("this is no Rust, so what is in it is not known: {error}"),
        place: Some(Place { file: file.to_owned(), line }),
        help: "mend the file, or move it out of the sources".to_owned(),
    }
}
