//! The files give what `Outbox::migrate()` gives.

use anyhow::Result;
use outbox_codegen::migrations::Retire;
use outbox_runtime::testing::TestDatabase;
use outbox_runtime::{Outbox, Worker};
use outbox_tests::Db;

use crate::both;
use crate::folder::{Folder, Migrated};
use crate::shop::{Seen, first, later};

both! {
    the_files_give_what_the_runtime_gives,
    they_stand_next_to_those_of_the_application,
}

/// All that the engine has in a database, as the database describes it.
const POSTGRES: &[&str] = &[
    "select format('%s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default) \
     from information_schema.columns c where table_schema = 'outbox' and exists ( \
         select from pg_tables t where t.schemaname = 'outbox' and t.tablename = c.table_name) \
     order by table_name, ordinal_position",
    "select indexdef from pg_indexes where schemaname = 'outbox' and indexname not like 'i\\_%' order by 1",
    "select pg_get_functiondef(p.oid) from pg_proc p join pg_namespace n on n.oid = p.pronamespace \
     where n.nspname = 'outbox' order by 1",
    "select format('%s %s', conrelid::regclass, pg_get_constraintdef(c.oid)) from pg_constraint c \
     join pg_namespace n on n.oid = c.connamespace where n.nspname = 'outbox' order by 1",
    "select format('%s %s', relname, reloptions) from pg_class c join pg_namespace n on n.oid = c.relnamespace \
     where n.nspname = 'outbox' and relkind = 'r' order by 1",
    "select format_version::text from outbox.meta",
];
const SQLITE: &[&str] = &[
    "select sql from sqlite_schema where name like 'outbox\\_%' escape '\\' \
     and name not like 'outbox\\_i\\_%' escape '\\' and type <> 'view' order by name",
    "select format_version || '' from outbox_meta",
];

async fn described<DB: Db>(pool: &sqlx::Pool<DB>) -> Result<Vec<Option<String>>> {
    let mut texts = Vec::new();
    for query in if DB::IS_POSTGRES { POSTGRES } else { SQLITE } {
        let found = DB::texts(pool, query).await?;
        assert!(!found.is_empty(), "{query}");
        texts.extend(found);
    }
    Ok(texts)
}

async fn the_files_give_what_the_runtime_gives<DB: Migrated>() -> Result<()> {
    let (by_files, by_call) =
        (TestDatabase::<DB>::create().await?, TestDatabase::<DB>::create().await?);
    let folder = Folder::of::<DB>()?;
    folder.generate::<later::Shop>(Retire::Never)?;
    folder.apply::<DB>(&by_files).await?;
    let outbox = Outbox::<later::Shop, DB>::new(by_call.pool().clone());
    outbox.migrate().await?;
    let (files, call) =
        (described::<DB>(by_files.pool()).await?, described::<DB>(by_call.pool()).await?);
    assert!(files.len() >= 18, "{files:#?}");
    assert_eq!(files, call);
    // Each finds nothing to do after the other.
    Outbox::<later::Shop, DB>::new(by_files.pool().clone()).migrate().await?;
    if DB::IS_POSTGRES {
        folder.apply::<DB>(&by_call).await?;
        assert_eq!(described::<DB>(by_call.pool()).await?, call);
    }
    Ok(())
}

async fn they_stand_next_to_those_of_the_application<DB: Migrated>() -> Result<()> {
    let database = TestDatabase::<DB>::create().await?;
    let folder = Folder::of::<DB>()?;
    folder.write("0001_create_customer.sql", "create table customer (name text primary key);")?;
    assert_eq!(folder.generate::<first::Shop>(Retire::Never)?, ["0002_outbox_create.sql"]);
    folder.write("0003_fill_customer.sql", "insert into customer values ('ada');")?;
    folder.apply::<DB>(&database).await?;

    // A file at a time, as a deployment finds them.
    let files = folder.generate::<later::Shop>(Retire::Never)?;
    assert_eq!(files, ["0004_outbox_update.sql"]);
    folder.apply::<DB>(&database).await?;
    folder.write("0005_more.sql", "insert into customer values ('bob');")?;
    folder.apply::<DB>(&database).await?;
    assert_eq!(DB::number(database.pool(), "select count(*) from customer").await?, 2);

    let outbox = Outbox::<later::Shop, DB>::new(database.pool().clone());
    let mut tx = outbox.begin().await?;
    let (card, last_digits) = (1, "1234".to_owned());
    outbox.emit(&mut tx, later::PaymentMade::Card { order: card, last_digits }).await?;
    tx.commit().await?;
    Worker::new(outbox, Seen::default()).drain().await?;
    Ok(())
}
