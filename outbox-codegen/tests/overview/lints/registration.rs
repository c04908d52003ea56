//! A lint is a file, an entry in the list, and a row in the documentation.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use outbox_codegen::lints;

fn source() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/lints"))
}

/// The ids of the table below a heading of the documentation.
fn rows(heading: &str) -> Vec<String> {
    let text = fs::read_to_string(source().join("mod.rs")).expect("the documentation");
    let part = text.split("//! # ").find(|part| part.starts_with(heading)).expect("the heading");
    let rows = part.lines().filter_map(|line| line.strip_prefix("//! | `"));
    rows.filter_map(|row| Some(row.split_once('`')?.0.to_owned())).collect()
}

#[test]
fn every_file_of_a_lint_is_listed_and_documented() {
    let files: BTreeSet<String> = fs::read_dir(source().join("rules"))
        .expect("a folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|file| Some(file.strip_suffix(".rs")?.replace('_', "-")))
        .filter(|file| file != "mod")
        .collect();
    let listed: Vec<String> = lints::ids().map(str::to_owned).collect();
    assert_eq!(listed.iter().cloned().collect::<BTreeSet<_>>(), files);
    assert_eq!(listed, rows("Of a registry"), "in the order of the table");
}

#[test]
fn every_lint_of_sources_is_documented() {
    let text = fs::read_to_string(source().join("sources/mod.rs")).expect("the source");
    let rows = rows("Of sources");
    assert_eq!(rows.len(), 4);
    for id in rows {
        assert!(text.contains(&format!("\"{id}\"")), "{id}");
    }
}
