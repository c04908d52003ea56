use sqlx::{Executor, SqlSafeStr};

use super::*;
use crate::error::ErrorKind;

async fn all_statements_can_be_prepared(namespace: &Namespace) {
    let file = File::new();
    let store = SqliteStore::new(file.pool(), namespace, Clock::database());
    store.migrate().await.unwrap();
    let mut connection = store.pool().acquire().await.unwrap();
    for (name, sql) in store.statements() {
        let prepared = connection.prepare(sqlx::AssertSqlSafe(sql).into_sql_str()).await;
        assert!(prepared.is_ok(), "{name}: {:?}", prepared.err());
    }
    let tables: Vec<String> = sqlx::query_scalar(
        "select name from sqlite_schema where sql is not null and name not like 'sqlite_%'",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    let prefix = format!("{}_", namespace.as_str());
    assert!(tables.iter().all(|name| name.starts_with(&prefix)), "{tables:?}");
}

#[tokio::test]
async fn every_statement_can_be_prepared() {
    all_statements_can_be_prepared(&Namespace::default()).await;
}

#[tokio::test]
async fn every_statement_can_be_prepared_with_another_prefix() {
    all_statements_can_be_prepared(&Namespace::new("billing").unwrap()).await;
}

#[tokio::test]
async fn migrating_again_changes_nothing() {
    let (file, store) = migrated().await;
    let emitted = emit(&store, vec![event("a", None)]).await;
    store.migrate().await.unwrap();
    file.store().migrate().await.unwrap();
    store.check_format().await.unwrap();
    assert_eq!(store.progress_now().await.unwrap(), after(emitted[0].position));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_processes_may_migrate_one_file_at_once() {
    for _ in 0..5 {
        let file = File::new();
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let store = file.store();
                tokio::spawn(async move {
                    store.migrate().await?;
                    store.check_format().await
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        let mode: String =
            sqlx::query_scalar("pragma journal_mode").fetch_one(&file.pool()).await.unwrap();
        assert_eq!(mode, "wal");
    }
}

#[tokio::test]
async fn a_database_in_memory_can_be_migrated() {
    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:");
    let store = SqliteStore::new(pool.await.unwrap(), &Namespace::default(), Clock::database());
    store.migrate().await.unwrap();
    store.check_format().await.unwrap();
}

#[tokio::test]
async fn two_prefixes_share_a_file() {
    let (file, one) = migrated().await;
    let other =
        SqliteStore::new(file.pool(), &Namespace::new("billing").unwrap(), Clock::database());
    assert_eq!(other.check_format().await.unwrap_err().kind(), ErrorKind::NotMigrated);
    other.migrate().await.unwrap();
    emit(&one, vec![event("a", None)]).await;
    assert_eq!(other.progress_now().await.unwrap(), after(0));
}

#[tokio::test]
async fn missing_tables_are_reported_with_the_way_out() {
    let file = File::new();
    let store = file.store();
    assert_eq!(store.check_format().await.unwrap_err().kind(), ErrorKind::NotMigrated);
    let error = store.progress_now().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotMigrated);
    assert_eq!(
        error.to_string(),
        "mark a place in the log: no such table: outbox_event: the outbox tables are missing: \
         call `Outbox::migrate()`, or write migration files with `outbox migrations generate` and \
         apply them with `sqlx migrate run`"
    );
}

#[tokio::test]
async fn tables_of_a_newer_version_are_left_alone() {
    let (_file, store) = migrated().await;
    sqlx::query("update outbox_meta set format_version = 99").execute(store.pool()).await.unwrap();
    assert_eq!(store.check_format().await.unwrap_err().kind(), ErrorKind::FormatTooNew);
    assert_eq!(store.migrate().await.unwrap_err().kind(), ErrorKind::FormatTooNew);
}

#[tokio::test]
async fn a_file_of_something_else_is_refused_and_left_as_it_was() {
    let file = File::new();
    let text = "a letter to the editor\n".repeat(100);
    std::fs::write(file.path(), &text).unwrap();
    let error = file.store().migrate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Database);
    assert!(!error.is_temporary());
    assert!(error.to_string().contains("check the path"), "{error}");
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), text);
}

#[tokio::test]
async fn a_read_only_database_says_so() {
    let (file, store) = migrated().await;
    emit(&store, vec![event("a", None)]).await;
    let options = SqliteConnectOptions::new().filename(file.path()).read_only(true);
    let pool = SqlitePoolOptions::new().connect_with(options).await.unwrap();
    let reader = SqliteStore::new(pool, &Namespace::default(), Clock::database());
    assert_eq!(reader.progress_now().await.unwrap(), after(1));
    let error = reader.register(&[registration("c", Start::Now)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert!(error.to_string().contains("the pool is not read-only"), "{error}");
}
