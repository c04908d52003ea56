//! Indexes on what people look events up by.

use anyhow::Result;
use outbox_codegen::migrations::Retire;
use outbox_runtime::testing::TestDatabase;
use outbox_runtime::{Postgres, Sqlite};
use outbox_tests::Db;

use crate::both;
use crate::folder::{Folder, Migrated};
use crate::shop::{first, later};

both! { an_index_comes_and_goes_with_the_attribute }

async fn indexes<DB: Db>(pool: &sqlx::Pool<DB>) -> Result<Vec<String>> {
    let query = if DB::IS_POSTGRES {
        "select indexname::text from pg_indexes where indexname like 'i\\_%' order by 1"
    } else {
        "select substr(name, 8) from sqlite_schema where name like 'outbox\\_i\\_%' escape '\\' order by 1"
    };
    Ok(DB::texts(pool, query).await?.into_iter().flatten().collect())
}

async fn an_index_comes_and_goes_with_the_attribute<DB: Migrated>() -> Result<()> {
    let database = TestDatabase::<DB>::create().await?;
    let folder = Folder::of::<DB>()?;
    for wanted in [&["i_order_placed_customer", "i_order_placed_placed_at"][..], &[]] {
        if wanted.is_empty() {
            folder.generate::<first::Shop>(Retire::Never)?;
        } else {
            folder.generate::<later::Shop>(Retire::Never)?;
        }
        folder.apply::<DB>(&database).await?;
        assert_eq!(indexes::<DB>(database.pool()).await?, wanted);
    }
    Ok(())
}

/// How a query of the view would be run, a line for each step. One connection, so that what is set
/// holds.
async fn plan<DB: Migrated>(condition: &str) -> Result<String> {
    let database = TestDatabase::<DB>::with_connections(1).await?;
    let folder = Folder::of::<DB>()?;
    folder.generate::<later::Shop>(Retire::Never)?;
    folder.apply::<DB>(&database).await?;
    let query = format!("select cents from {} where {condition}", DB::table("v_order_placed"));
    let lines = if DB::IS_POSTGRES {
        // Of an empty table everything is read, whatever else there is.
        DB::execute(database.pool(), "set enable_seqscan = off").await?;
        DB::texts(database.pool(), &format!("explain {query}")).await?
    } else {
        let wrapped = format!("explain query plan {query}");
        sqlite_plan(database.url(), &wrapped).await?
    };
    Ok(lines.into_iter().flatten().collect::<Vec<_>>().join("\n"))
}

/// The text of a step is the fourth column there.
async fn sqlite_plan(url: &str, query: &str) -> Result<Vec<Option<String>>> {
    use sqlx::{AssertSqlSafe, Connection, Row};
    let mut connection = sqlx::SqliteConnection::connect(url).await?;
    let rows = sqlx::query(AssertSqlSafe(query.to_owned())).fetch_all(&mut connection).await?;
    Ok(rows.iter().map(|row| row.try_get(3)).collect::<sqlx::Result<_>>()?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_of_the_view_uses_the_index_on_postgres() -> Result<()> {
    for (condition, index) in [
        ("customer = 'ada'", "i_order_placed_customer"),
        ("placed_at > now() - interval '1 day'", "i_order_placed_placed_at"),
    ] {
        let plan = plan::<Postgres>(condition).await?;
        assert!(plan.contains(index), "{plan}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_of_the_view_uses_the_index_on_sqlite() -> Result<()> {
    for (condition, index) in [
        ("customer = 'ada'", "i_order_placed_customer"),
        ("placed_at > '2026-11-26'", "i_order_placed_placed_at"),
    ] {
        let plan = plan::<Sqlite>(condition).await?;
        assert!(plan.contains(index), "{plan}");
    }
    Ok(())
}
