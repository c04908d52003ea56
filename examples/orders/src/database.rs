//! The database: SQLite unless the feature `postgres` is on. Nothing else here depends on which.

use anyhow::{Context, Result};
use sqlx::Pool;
use sqlx::migrate::Migrator;

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

/// The shop's own migrations, and those that `orders-outbox migrations generate` wrote.
#[cfg(feature = "postgres")]
pub static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");
/// The shop's own migrations, and those that `orders-outbox migrations generate` wrote.
#[cfg(not(feature = "postgres"))]
pub static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Connects.
///
/// # Errors
///
/// When the database cannot be reached.
pub async fn connect(url: &str) -> Result<Pool<Db>> {
    Pool::connect(url).await.with_context(|| format!("cannot open {url}"))
}

/// Makes the tables of the shop and of the outbox, as `sqlx migrate run` would.
///
/// # Errors
///
/// When the database refuses.
pub async fn migrate(pool: &Pool<Db>) -> Result<()> {
    MIGRATIONS.run(pool).await.context("cannot apply the migrations")
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
