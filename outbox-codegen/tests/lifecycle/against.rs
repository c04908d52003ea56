//! `compat --against`: a commit, a folder, and what is neither. The command without types.

use serde_json::Value;

use crate::folder::{Folder, event, order};

/// A repository in which the first revision is released on `main`.
fn repository() -> Folder {
    let folder = Folder::new();
    folder.generate(&event::<order::first::OrderPlaced>());
    folder.release();
    folder.git(&["init", "--quiet", "--initial-branch", "main"]);
    folder.git(&["add", "."]);
    folder.git(&["commit", "--quiet", "--message", "Release"]);
    folder
}

#[test]
fn a_change_is_held_against_a_commit_whatever_the_folder_says() {
    let folder = repository();
    // As if it had never been released.
    std::fs::remove_dir_all(folder.path()).expect("removed");
    folder.generate(&event::<order::with_currency::OrderPlaced>());
    let (code, text) = folder.outbox(&["compat"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("nothing is released"), "{text}");
    let (code, text) = folder.outbox(&["compat", "--against", "main"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("BREAKING required-field-added at .currency"), "{text}");
    assert!(text.contains("bump the version"), "{text}");

    folder.generate(&event::<order::with_note::OrderPlaced>());
    let (code, text) = folder.outbox(&["compat", "--against", "main"]);
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn the_report_is_there_for_programs_and_for_github() {
    let folder = repository();
    folder.generate(&event::<order::with_currency::OrderPlaced>());
    let (code, text) = folder.outbox(&["compat", "--format", "json"]);
    assert_eq!(code, Some(1));
    let report: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(report["breaking"], true);
    let finding = &report["findings"][0];
    assert_eq!(finding["rule"], "required-field-added");
    assert_eq!(finding["direction"], "backward");
    assert_eq!(finding["witness"], serde_json::json!({ "total": 0 }));
    let (code, text) = folder.outbox(&["compat", "--format", "github"]);
    assert_eq!(code, Some(1));
    let annotation = text.lines().find(|line| line.starts_with("::error ")).expect("an annotation");
    assert!(
        annotation.starts_with(
            "::error title=order.placed version 1 at .currency%3A required-field-added::"
        ),
        "{annotation}"
    );
    assert!(annotation.contains("%0A{\"total\":0}%0A"), "{annotation}");
}

#[test]
fn another_folder_can_be_what_was_released() {
    let (released, folder) = (repository(), Folder::new());
    folder.generate(&event::<order::with_coupon::OrderPlaced>());
    let other = released.path();
    let other = other.to_str().expect("text");
    let (code, text) = folder.outbox(&["compat", "--against", other]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("safe optional-field-added at .coupon"), "{text}");
}

#[test]
fn what_is_no_revision_is_said() {
    let folder = repository();
    for against in ["no-such-branch", "--help", "main; true"] {
        let (code, text) = folder.outbox(&["compat", &format!("--against={against}")]);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains("neither a folder nor a revision"), "{text}");
    }
    let outside = Folder::new();
    outside.generate(&event::<order::first::OrderPlaced>());
    let (code, text) = outside.outbox(&["compat", "--against", "main"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("git"), "{text}");
}

#[test]
fn the_schemas_are_found_from_further_down() {
    let folder = repository();
    let below = folder.root().join("crates/shop");
    std::fs::create_dir_all(&below).expect("a folder");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_outbox"));
    let output = command.current_dir(below).args(["schemas", "compat"]).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.contains("1 released version: 0 breaking"), "{text}");
}

#[test]
fn releasing_what_breaks_is_refused() {
    let folder = repository();
    folder.generate(&event::<order::with_currency::OrderPlaced>());
    let before = folder.read("outbox.lock");
    let (code, text) = folder.outbox(&["release"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.ends_with("nothing was released\n"), "{text}");
    assert_eq!(folder.read("outbox.lock"), before);

    folder.generate(&event::<order::with_note::OrderPlaced>());
    let (code, text) = folder.outbox(&["release"]);
    assert_eq!((code, text.as_str()), (Some(0), "released order.placed version 1\n"));
    let (code, text) = folder.outbox(&["release"]);
    assert_eq!((code, text.as_str()), (Some(0), "everything is released already\n"));
}

#[test]
fn a_folder_without_schemas_has_nothing_to_release() {
    let (code, text) = Folder::new().outbox(&["release"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("outbox schemas generate"), "{text}");
}
