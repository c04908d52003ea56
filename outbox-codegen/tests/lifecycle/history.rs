//! What is kept of what was released.

use outbox_codegen::gate;
use outbox_codegen::schemas::{self, Difference, State};

use crate::folder::{Folder, event, order, snapshot};

const FIRST: &[&str] = &["order.placed/v1.read.json", "order.placed/v1.write.json", "outbox.lock"];

fn state(folder: &Folder) -> State {
    schemas::load(&folder.path()).expect("schemas").versions[0].state()
}

#[test]
fn what_was_never_released_changes_freely() {
    let folder = Folder::new();
    folder.generate(&event::<order::first::OrderPlaced>());
    folder.generate(&event::<order::with_currency::OrderPlaced>());
    assert_eq!(folder.files(), FIRST);
    assert_eq!(state(&folder), State::Unreleased);
    // And is gone with its type.
    folder.generate(&event::<order::Counted>());
    assert_eq!(
        folder.files(),
        ["outbox.lock", "stock/item:counted/v1.read.json", "stock/item:counted/v1.write.json"]
    );
}

#[test]
fn generating_twice_writes_nothing_new() {
    let folder = Folder::new();
    folder.generate(&event::<order::first::OrderPlaced>());
    folder.release();
    let before: Vec<String> = FIRST.iter().map(|file| folder.read(file)).collect();
    folder.generate(&event::<order::first::OrderPlaced>());
    let after: Vec<String> = FIRST.iter().map(|file| folder.read(file)).collect();
    assert_eq!(before, after);
    assert_eq!(folder.release(), [""; 0]);
}

#[test]
fn documentation_is_no_new_revision() {
    let folder = Folder::new();
    folder.generate(&event::<order::first::OrderPlaced>());
    folder.release();
    let lock = folder.read("outbox.lock");
    folder.generate(&event::<order::documented::OrderPlaced>());
    assert!(folder.read("order.placed/v1.write.json").contains("In cents."));
    assert_eq!(folder.read("outbox.lock"), lock);
    assert_eq!(folder.files(), FIRST);
}

#[test]
fn each_revision_that_was_released_is_kept_and_held_against() {
    let folder = Folder::new();
    folder.generate(&event::<order::with_note::OrderPlaced>());
    assert_eq!(folder.release(), ["order.placed version 1"]);
    let note = folder.read("order.placed/v1.write.json");

    folder.generate(&event::<order::first::OrderPlaced>());
    assert_eq!(state(&folder), State::Changed);
    assert_eq!(folder.read("order.placed/v1.r1.write.json"), note);
    assert_eq!(folder.release(), ["order.placed version 1"]);
    assert_eq!(state(&folder), State::Released);

    let released = schemas::released(&folder.path(), None).expect("schemas");
    assert_eq!(released.versions[0].released.len(), 2);
    let report = gate::compare(&snapshot(&event::<order::first::OrderPlaced>()), &released);
    assert!(!report.is_breaking(), "{report}");
}

/// The files of a change are written before the lock.
#[test]
fn a_change_that_was_cut_off_before_the_lock_goes_on() {
    let folder = Folder::new();
    folder.generate(&event::<order::first::OrderPlaced>());
    folder.release();
    let lock = folder.read("outbox.lock");
    folder.generate(&event::<order::with_note::OrderPlaced>());
    let after = folder.read("outbox.lock");
    folder.write("outbox.lock", &lock);
    folder.generate(&event::<order::with_note::OrderPlaced>());
    assert_eq!(folder.read("outbox.lock"), after);
}

#[test]
fn a_released_version_that_is_gone_is_kept_until_it_is_forgotten() {
    let folder = Folder::new();
    folder.generate(&event::<order::first::OrderPlaced>());
    folder.release();
    let still_there = schemas::forget(&folder.path(), "order.placed", 1).expect_err("refused");
    assert!(still_there.to_string().contains("the code still has order.placed version 1"));

    folder.generate(&event::<order::Counted>());
    assert_eq!(state(&folder), State::Removed);
    let released = schemas::released(&folder.path(), None).expect("schemas");
    let code = snapshot(&event::<order::Counted>());
    assert!(gate::compare(&code, &released).is_breaking());

    schemas::forget(&folder.path(), "order.placed", 1).expect("forgotten");
    let released = schemas::released(&folder.path(), None).expect("schemas");
    assert!(!gate::compare(&code, &released).is_breaking());
    assert_eq!(folder.check(&event::<order::Counted>()), Ok(Vec::new()));
    assert!(!folder.path().join("order.placed").exists());
}

#[test]
fn what_differs_is_shown() {
    let folder = Folder::new();
    let events = event::<order::first::OrderPlaced>();
    assert_eq!(folder.check(&events).expect("an answer").len(), 3);
    folder.generate(&events);
    folder.write("order.placed/v7.write.json", "{}");
    std::fs::remove_file(folder.path().join("order.placed/v1.read.json")).expect("removed");
    let write = folder.read("order.placed/v1.write.json");
    folder.write("order.placed/v1.write.json", &write.replace("int64", "int32"));
    let differences = folder.check(&events).expect("an answer");
    let [Difference::Missing(missing), Difference::Stale(stale, diff), Difference::Left(left)] =
        &differences[..]
    else {
        panic!("{differences:?}")
    };
    assert_eq!(missing.to_str(), Some("order.placed/v1.read.json"));
    assert_eq!(stale.to_str(), Some("order.placed/v1.write.json"));
    assert!(diff.contains("-      \"format\": \"int32\""), "{diff}");
    assert!(diff.contains("+      \"format\": \"int64\""), "{diff}");
    assert_eq!(left.to_str(), Some("order.placed/v7.write.json"));
}

#[test]
fn what_was_released_cannot_be_edited_away() {
    let folder = Folder::new();
    let events = event::<order::first::OrderPlaced>();
    folder.generate(&events);
    folder.release();
    let write = folder.read("order.placed/v1.write.json");
    folder.write("order.placed/v1.write.json", &write.replace("int64", "int32"));
    for error in [
        folder.check(&events).expect_err("noticed"),
        schemas::generate(&snapshot(&events), &folder.path()).expect_err("noticed"),
        schemas::released(&folder.path(), None).expect_err("noticed"),
    ] {
        let error = error.to_string();
        assert!(error.contains("order.placed/v1.write.json"), "{error}");
        assert!(error.contains("git checkout"), "{error}");
    }
}

#[test]
fn a_lock_that_cannot_be_used_says_why() {
    let folder = Folder::new();
    folder.generate(&event::<order::first::OrderPlaced>());
    let lock = folder.read("outbox.lock");
    let twice = lock.split("[[event]]").nth(1).expect("an event");
    for (text, why) in [
        (lock.replace("format = 1", "format = 2"), "knows format 1"),
        (lock.replace("order.placed", "../../order"), "is no event's name"),
        (lock.replace("state = \"unreleased\"", "state = \"released\""), "no revision"),
        (format!("{lock}\n[[event]]{twice}"), "were two branches merged?"),
        ("<<<<<<< HEAD\n".to_owned(), "outbox.lock"),
    ] {
        folder.write("outbox.lock", &text);
        let error = schemas::load(&folder.path()).expect_err("refused").to_string();
        assert!(error.contains(why), "{error}");
        assert_eq!(folder.outbox(&["compat"]).0, Some(2));
    }
}
