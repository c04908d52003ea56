//! Files are appended, and never touched again.

use anyhow::Result;
use chrono::Utc;
use outbox_codegen::migrations::{Retire, pending};
use outbox_runtime::migrations::Migrations;
use outbox_runtime::{Postgres, Registry, Sqlite};

use crate::folder::Folder;
use crate::shop::{first, later};

#[test]
fn what_is_written_stays_as_it_is() -> Result<()> {
    let folder = Folder::of::<Postgres>()?;
    folder.write("0001_create_customer.sql", "create table customer (name text primary key);")?;
    assert_eq!(folder.generate::<first::Shop>(Retire::Never)?, ["0002_outbox_create.sql"]);
    let before = folder.files()?;
    assert!(folder.generate::<first::Shop>(Retire::Finished)?.is_empty(), "nothing is missing");
    assert_eq!(folder.files()?, before);

    folder.generate::<later::Shop>(Retire::Finished)?;
    let mut after = folder.files()?;
    after.retain(|name, _| before.contains_key(name));
    assert_eq!(after, before);
    Ok(())
}

/// The same registry gives the same bytes, and a file says what it does.
#[test]
fn files_are_byte_stable() -> Result<()> {
    for to in [Migrations::postgres("outbox")?, Migrations::sqlite("outbox")?] {
        let texts: Vec<String> = (0..2)
            .map(|_| {
                let folder = tempfile::tempdir()?;
                let pending = pending(&later::Shop::registry(), &to, folder.path())?;
                let files = pending.generate(Retire::Never, Utc::now())?;
                Ok(std::fs::read_to_string(&files[0])?)
            })
            .collect::<Result<_>>()?;
        assert_eq!(texts[0], texts[1]);
    }
    Ok(())
}

#[test]
fn the_name_of_a_file_says_what_it_does() -> Result<()> {
    let folder = Folder::of::<Postgres>()?;
    folder.write("0001_create_customer.sql", "")?;
    folder.generate::<later::without_charge::Shop>(Retire::Never)?;
    let files = folder.generate::<later::Shop>(Retire::Never)?;
    assert_eq!(files, ["0003_outbox_register_charge.sql"]);
    let files = folder.generate::<later::without_charge::Shop>(Retire::Finished)?;
    assert_eq!(files, ["0004_outbox_retire_charge.sql"]);
    assert_eq!(folder.pending::<later::without_charge::Shop>()?.missing(), [""; 0]);
    let files = folder.generate::<later::Shop>(Retire::Never)?;
    assert_eq!(files, ["0005_outbox_register_charge.sql"], "it has come back");
    Ok(())
}

/// The files are all that is known: whoever takes one back before it is applied takes back what it
/// gives.
#[test]
fn a_file_that_is_taken_back_is_missing_again() -> Result<()> {
    let folder = Folder::of::<Sqlite>()?;
    folder.write("0001_create_customer.sql", "")?;
    folder.generate::<first::Shop>(Retire::Never)?;
    let second = folder.generate::<later::Shop>(Retire::Never)?;
    let before = folder.files()?;
    std::fs::remove_file(folder.path().join(&second[0]))?;
    assert_eq!(
        folder.pending::<later::Shop>()?.missing(),
        [
            "no view of order.cancelled",
            "the view of order.placed",
            "the view of payment.made",
            "an index on customer of order.placed",
            "an index on placed_at of order.placed",
            "the consumer announce"
        ]
    );
    folder.generate::<later::Shop>(Retire::Never)?;
    assert_eq!(folder.files()?, before);
    Ok(())
}
