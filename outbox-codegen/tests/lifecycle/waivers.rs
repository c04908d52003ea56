//! Breaks that somebody lets pass.

use crate::folder::{Folder, event, order};

fn waiver(rule: &str, path: &str, expires: &str) -> String {
    format!(
        "[[waiver]]\nrule = \"{rule}\"\nevent = \"order.placed\"\nversion = 1\npath = \"{path}\"\n\
         reason = \"no order was placed yet\"\nexpires = \"{expires}\"\n"
    )
}

/// A folder in which a break is to be released.
fn breaking() -> Folder {
    let folder = Folder::new();
    folder.generate(&event::<order::first::OrderPlaced>());
    folder.release();
    folder.generate(&event::<order::with_currency::OrderPlaced>());
    folder
}

#[test]
fn a_waiver_lets_one_break_pass_for_a_time() {
    let folder = breaking();
    folder.write("waivers.toml", &waiver("required-field-added", ".currency", "9999-12-31"));
    let (code, text) = folder.outbox(&["compat"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("waived required-field-added at .currency"), "{text}");
    assert!(text.contains("until 9999-12-31: no order was placed yet"), "{text}");

    for (rule, path, expires) in [
        ("required-field-added", ".currency", "2020-01-01"),
        ("required-field-added", ".total", "9999-12-31"),
        ("type-replaced", ".currency", "9999-12-31"),
    ] {
        folder.write("waivers.toml", &waiver(rule, path, expires));
        let (code, text) = folder.outbox(&["compat"]);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("waives nothing"), "{text}");
    }
}

#[test]
fn what_was_waived_and_released_need_not_be_waived_for_ever() {
    let folder = breaking();
    folder.write("waivers.toml", &waiver("required-field-added", ".currency", "9999-12-31"));
    let (code, text) = folder.outbox(&["release"]);
    assert_eq!(code, Some(0), "{text}");
    std::fs::remove_file(folder.path().join("waivers.toml")).expect("removed");
    let (code, text) = folder.outbox(&["compat"]);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(
        folder.files(),
        ["order.placed/v1.read.json", "order.placed/v1.write.json", "outbox.lock"]
    );
}

#[test]
fn a_waiver_that_cannot_be_read_is_an_error() {
    let folder = breaking();
    folder.write("waivers.toml", &waiver("no-such-rule", "", "9999-12-31"));
    let (code, text) = folder.outbox(&["compat"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("waivers.toml: there is no rule `no-such-rule`"), "{text}");
}
