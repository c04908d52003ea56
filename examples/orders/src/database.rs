//! The database: SQLite unless the feature `postgres` is on. Nothing else here depends on which.

use anyhow::{Context, Result};
use sqlx::Pool;

#[cfg(feature = "postgres")]
pub use sqlx::Postgres as Db;
#[cfg(not(feature = "postgres"))]
pub use sqlx::Sqlite as Db;

/// The address to use when nobody says.
#[cfg(feature = "postgres")]
pub const DEFAULT_URL: &str = "postgres://localhost/orders";
/// The address to use when nobody says.
#[cfg(not(feature = "postgres"))]
pub const DEFAULT_URL: &str = "sqlite://target/orders.db?mode=rwc";

const TABLES: &str = include_str!("../migrations/0001_create_shop.sql");

/// Connects.
///
/// # Errors
///
/// When the database cannot be reached.
pub async fn connect(url: &str) -> Result<Pool<Db>> {
    Pool::connect(url).await.with_context(|| format!("cannot open {url}"))
}

/// Makes the shop's own tables. (A real service would use sqlx's migrator; the outbox's tables come
/// from `Outbox::migrate`.)
///
/// # Errors
///
/// When the database refuses.
pub async fn migrate(pool: &Pool<Db>) -> Result<()> {
    sqlx::raw_sql(TABLES).execute(pool).await.context("cannot make the shop's tables")?;
    Ok(())
}

/// Something to sell, and somebody to buy it.
///
/// # Errors
///
/// When the database refuses.
pub async fn stock_up(pool: &Pool<Db>) -> Result<()> {
    let fill = "insert into customer (id, name) values ('ada', 'Ada'), ('bob', 'Bob')
                on conflict do nothing;
                insert into product (sku, price, in_stock) values ('tea', 450, 10), ('cup', 1200, 2)
                on conflict do nothing;";
    sqlx::raw_sql(fill).execute(pool).await.context("cannot stock up")?;
    Ok(())
}
