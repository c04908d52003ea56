//! What is wrong is said where it enters, with what to do.

use anyhow::Result;
use outbox_codegen::migrations::Retire;
use outbox_runtime::migrations::Migrations;
use outbox_runtime::testing::TestDatabase;
use outbox_runtime::{ErrorKind, Outbox, Postgres, Registry, Sqlite, Worker};

use crate::both;
use crate::folder::{Folder, Migrated};
use crate::shop::{Seen, first};

both! {
    a_worker_without_tables_names_the_command,
    a_worker_with_older_tables_names_the_command,
}

async fn refusal<DB: Migrated>(database: &TestDatabase<DB>) -> String {
    let outbox = Outbox::<first::Shop, DB>::new(database.pool().clone());
    let error = Worker::new(outbox, Seen::default()).drain().await.expect_err("it cannot start");
    assert_eq!(error.kind(), ErrorKind::NotMigrated);
    error.to_string()
}

async fn a_worker_without_tables_names_the_command<DB: Migrated>() -> Result<()> {
    let database = TestDatabase::<DB>::create().await?;
    let said = refusal(&database).await;
    assert!(
        said.contains("are missing") && said.contains("`outbox migrations generate`"),
        "{said}"
    );
    Ok(())
}

async fn a_worker_with_older_tables_names_the_command<DB: Migrated>() -> Result<()> {
    let database = TestDatabase::<DB>::create().await?;
    let folder = Folder::of::<DB>()?;
    folder.write("0001_outbox.sql", &folder.migrations().tables()[0].sql)?;
    folder.apply::<DB>(&database).await?;
    let said = refusal(&database).await;
    assert!(
        said.contains("have format 1") && said.contains("`outbox migrations generate`"),
        "{said}"
    );
    Ok(())
}

#[test]
fn each_kind_of_database_needs_a_folder_of_its_own() -> Result<()> {
    let folder = Folder::of::<Postgres>()?;
    folder.generate::<first::Shop>(Retire::Never)?;
    let sqlite = Folder::of::<Sqlite>()?;
    let pending = outbox_codegen::migrations::pending(
        &first::Shop::registry(),
        sqlite.migrations(),
        folder.path(),
    );
    let said = pending.unwrap_err().to_string();
    assert!(
        said.contains("_outbox_create.sql: it is for Postgres, and Sqlite was asked for"),
        "{said}"
    );
    Ok(())
}

#[test]
fn a_line_that_somebody_has_changed_is_named() -> Result<()> {
    let folder = Folder::of::<Postgres>()?;
    folder.write("0001_create_customer.sql", "")?;
    folder.generate::<first::Shop>(Retire::Never)?;
    let text = folder.files()?.remove("0002_outbox_create.sql").unwrap_or_default();
    for (found, changed, wrong) in [
        ("\"does\":\"view\"", "\"does\":\"vew\"", "unknown variant `vew`"),
        ("-- outbox: {\"does\":\"file\"", "-- {", "its first line of `outbox migrations` is gone"),
    ] {
        folder.write("0002_outbox_create.sql", &text.replacen(found, changed, 1))?;
        let said = folder.pending::<first::Shop>().unwrap_err().to_string();
        assert!(said.contains("0002_outbox_create.sql: ") && said.contains(wrong), "{said}");
    }
    Ok(())
}

#[test]
fn a_schema_that_would_have_to_be_quoted_is_refused() {
    assert_eq!(Migrations::postgres("Out box").unwrap_err().kind(), ErrorKind::InvalidName);
}
