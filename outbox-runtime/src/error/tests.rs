use super::*;

#[test]
fn codes_of_both_databases_map_to_kinds() {
    for (codes, kind) in [
        (&["40001", "40P01", "5", "6", "261", "517"][..], ErrorKind::Conflict),
        (&["28P01", "42501", "3D000", "3", "8", "1544", "23"], ErrorKind::AccessDenied),
        (&["42P01", "3F000"], ErrorKind::NotMigrated),
        (&["08006", "08001", "08P01"], ErrorKind::Unavailable),
        (&["53000", "53100", "53200", "53300", "53400"], ErrorKind::Unavailable),
        (&["57014", "57P01", "57P02", "57P03", "57P04", "57P05"], ErrorKind::Unavailable),
        (&["25006", "25P03", "55P03", "58030"], ErrorKind::Unavailable),
        (&["7", "9", "10", "266", "13", "14", "15"], ErrorKind::Unavailable),
        (&["23505", "22012", "25P02", "XX000", "XX001"], ErrorKind::Database),
        (&["1", "11", "19", "26", "2067", "not a code"], ErrorKind::Database),
    ] {
        for code in codes {
            assert_eq!(kind_of_code(code), kind, "{code}");
        }
    }
}

#[test]
fn what_is_temporary_is_what_needs_nobody_here() {
    for (error, kind, temporary) in [
        (sqlx::Error::PoolClosed, ErrorKind::Closed, false),
        (sqlx::Error::PoolTimedOut, ErrorKind::Unavailable, true),
        (sqlx::Error::WorkerCrashed, ErrorKind::Unavailable, true),
        (sqlx::Error::Protocol("half a message".to_owned()), ErrorKind::Unavailable, true),
        (sqlx::Error::Tls("hung up".into()), ErrorKind::Unavailable, true),
        (sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into()), ErrorKind::Unavailable, true),
        (sqlx::Error::Configuration("no such mode".into()), ErrorKind::InvalidOptions, false),
        (sqlx::Error::RowNotFound, ErrorKind::Database, false),
    ] {
        let error = Error::database("read the log", error);
        assert_eq!((error.kind(), error.is_temporary()), (kind, temporary), "{error}");
        assert!(error.to_string().starts_with("read the log: "), "{error}");
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use std::time::Duration;

    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
    use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};

    use super::*;

    async fn run(connection: &mut SqliteConnection, sql: &str) -> Result<()> {
        let ran = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await;
        ran.map(drop).during("try")
    }

    fn options(folder: &tempfile::TempDir) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(folder.path().join("a.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(Duration::ZERO)
    }

    #[tokio::test]
    async fn a_full_database_is_unavailable() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = options(&folder).connect().await.unwrap();
        run(&mut connection, "create table t (x blob); pragma max_page_count = 10").await.unwrap();
        let error = run(&mut connection, "insert into t values (zeroblob(1000000))").await;
        let error = error.unwrap_err();
        assert_eq!((error.kind(), error.is_temporary()), (ErrorKind::Unavailable, true), "{error}");
    }

    #[tokio::test]
    async fn a_locked_database_is_a_conflict() {
        let folder = tempfile::tempdir().unwrap();
        let (mut one, mut other) =
            (options(&folder).connect().await.unwrap(), options(&folder).connect().await.unwrap());
        run(&mut one, "create table t (x)").await.unwrap();
        let tx = one.begin_with("begin immediate").await.unwrap();
        let error = run(&mut other, "insert into t values (1)").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
        assert!(error.is_busy() && error.is_temporary());
        drop(tx);
    }

    #[tokio::test]
    async fn a_read_that_was_overtaken_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let (mut one, mut other) =
            (options(&folder).connect().await.unwrap(), options(&folder).connect().await.unwrap());
        run(&mut one, "create table t (x)").await.unwrap();
        run(&mut one, "begin; select * from t").await.unwrap();
        run(&mut other, "insert into t values (1)").await.unwrap();
        let error = run(&mut one, "insert into t values (2)").await.unwrap_err();
        assert_eq!(error.code().as_deref(), Some("517"));
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(error.to_string().contains("BEGIN IMMEDIATE"), "{error}");
    }

    #[tokio::test]
    async fn a_read_only_connection_is_denied() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = options(&folder).connect().await.unwrap();
        run(&mut writer, "create table t (x)").await.unwrap();
        writer.close().await.unwrap();
        let mut connection = options(&folder).read_only(true).connect().await.unwrap();
        let error = run(&mut connection, "insert into t values (1)").await.unwrap_err();
        assert_eq!((error.kind(), error.is_temporary()), (ErrorKind::AccessDenied, false));
        assert!(error.to_string().contains("read-only"), "{error}");
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_opened_is_unavailable_and_a_damaged_one_is_not_temporary() {
        let folder = tempfile::tempdir().unwrap();
        let missing = options(&folder).filename(folder.path().join("no/such.db"));
        let error = missing.connect().await.during("try").map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");

        let path = folder.path().join("a.db");
        std::fs::write(&path, "no database".repeat(1_000)).unwrap();
        let plain = SqliteConnectOptions::new().filename(&path);
        let mut connection = plain.connect().await.unwrap();
        let error = run(&mut connection, "select * from sqlite_schema").await.unwrap_err();
        assert_eq!((error.kind(), error.is_temporary()), (ErrorKind::Database, false), "{error}");
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use sqlx::{AssertSqlSafe, Postgres};

    use super::*;
    use crate::testing::TestDatabase;

    #[tokio::test]
    async fn what_a_live_server_refuses_for_now_is_temporary() {
        let database = TestDatabase::<Postgres>::create().await.unwrap();
        let pool = database.pool();
        sqlx::raw_sql("create table t (x int); create table free (x int)")
            .execute(pool)
            .await
            .unwrap();
        let mut other = pool.begin().await.unwrap();
        sqlx::raw_sql("lock table t").execute(&mut *other).await.unwrap();
        for (sql, code, advice) in [
            ("set local statement_timeout = '10ms'; select pg_sleep(60)", "57014", "timeout"),
            ("set local lock_timeout = '10ms'; select * from t", "55P03", "lock_timeout"),
            ("set transaction read only; insert into free values (1)", "25006", "primary"),
            ("select pg_terminate_backend(pg_backend_pid())", "57P01", "administrator"),
        ] {
            let mut tx = pool.begin().await.unwrap();
            let ran = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *tx).await;
            let error = ran.during("try").unwrap_err();
            assert_eq!(error.code().as_deref(), Some(code), "{error}");
            assert_eq!((error.kind(), error.is_temporary()), (ErrorKind::Unavailable, true));
            assert!(error.to_string().contains(advice), "{error}");
            assert_eq!(error.is_read_only(), code == "25006");
        }
        drop(other);
    }

    #[tokio::test]
    async fn a_closed_pool_is_closed_for_good() {
        let database = TestDatabase::<Postgres>::create().await.unwrap();
        database.pool().close().await;
        let error = database.pool().acquire().await.during("try").unwrap_err();
        assert_eq!((error.kind(), error.is_temporary()), (ErrorKind::Closed, false));
    }
}
