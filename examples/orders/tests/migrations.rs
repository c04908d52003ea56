//! The command, as it is run by hand and in CI: what it prints, and its exit codes.

use std::path::Path;
use std::process::{Command, Output};

use anyhow::Result;

fn migrations(arguments: &[&str], folder: &Path) -> Result<(Option<i32>, String)> {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_orders-outbox"))
        .arg("migrations")
        .args(arguments)
        .arg(folder)
        .args(["--db", "sqlite"])
        .output()?;
    let said = format!("{}{}", String::from_utf8(stdout)?, String::from_utf8(stderr)?);
    Ok((status.code(), said))
}

#[test]
fn what_is_missing_is_said_and_then_written() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (code, said) = migrations(&["check"], folder.path())?;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("missing: the view of orders.paid\n"), "{said}");
    assert!(said.contains("run `outbox migrations generate`"), "{said}");

    let (code, said) = migrations(&["generate"], folder.path())?;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.ends_with("_outbox_create.sql\n"), "{said}");
    assert_eq!(migrations(&["check"], folder.path())?, (Some(0), String::new()));
    let (code, said) = migrations(&["generate"], folder.path())?;
    assert_eq!((code, said.as_str()), (Some(0), "nothing is missing\n"));
    Ok(())
}

#[test]
fn a_consumer_that_is_gone_is_named_and_retired_when_asked() -> Result<()> {
    let folder = tempfile::tempdir()?;
    migrations(&["generate"], folder.path())?;
    let of_before = "-- outbox: {\"does\":\"file\",\"database\":\"sqlite\",\"schema\":\"outbox\",\"registry\":\"Shop\"}\n\
                     -- outbox: {\"does\":\"register\",\"consumer\":\"mail.goodbye\"}\nselect 1;\n";
    std::fs::write(folder.path().join("1_before.sql"), of_before)?;
    let (code, said) = migrations(&["check"], folder.path())?;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("note: mail.goodbye is not in the code any more"), "{said}");
    let (code, said) = migrations(&["generate", "--retire"], folder.path())?;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.ends_with("_outbox_retire_mail_goodbye.sql\n"), "{said}");
    assert_eq!(migrations(&["check"], folder.path())?, (Some(0), String::new()));
    Ok(())
}

#[test]
fn what_cannot_be_used_exits_with_2() -> Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("1_before.sql"), "-- outbox: {}\n")?;
    let (code, said) = migrations(&["check"], folder.path())?;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("1_before.sql: line 1: not a line of `outbox migrations`"), "{said}");
    let (code, said) = migrations(&["check", "--schema", "Out box"], folder.path())?;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("`Out box` is not a valid schema name"), "{said}");
    Ok(())
}
