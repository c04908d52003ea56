//! No rule is forgotten: each file is registered, documented, and has a case of its own.

use std::collections::BTreeSet;
use std::path::Path;

use outbox_codegen::rules::{self, RULES};

fn files(folder: &str, ending: &str, not: &[&str]) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(folder).expect("a folder");
    let names =
        entries.map(|entry| entry.expect("a file").file_name().into_string().expect("text"));
    names
        .filter_map(|name| name.strip_suffix(ending).map(str::to_owned))
        .filter(|name| !not.contains(&name.as_str()))
        .map(|name| name.replace('_', "-"))
        .collect()
}

fn registered() -> BTreeSet<String> {
    RULES.iter().map(|rule| rule.id.to_owned()).collect()
}

#[test]
fn every_file_is_registered() {
    assert_eq!(files("src/rules", ".rs", &["mod"]), registered());
    assert_eq!(RULES.len(), registered().len(), "two rules of one name");
}

#[test]
fn every_rule_has_a_case_and_an_expected_text() {
    assert_eq!(files("tests/rules", ".txt", &[]), registered());
}

#[test]
fn the_documentation_is_that_of_the_rules() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    let text = rules::documentation();
    if std::env::var_os("GOLDENS").is_some_and(|value| value == "overwrite") {
        std::fs::write(&path, &text).expect("a file");
    }
    assert_eq!(std::fs::read_to_string(path).expect("docs/rules.md"), text, "GOLDENS=overwrite");
}
