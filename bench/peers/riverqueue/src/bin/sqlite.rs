//! River for Rust on SQLite: the crate riverqueue 0.5. What is set, and where that comes from, is in
//! `lib.rs`.

#![forbid(unsafe_code)]

use bench_riverqueue::{River, Sqlite};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    outbox_contest::play::<River<Sqlite>>(clap::Parser::parse()).await
}
