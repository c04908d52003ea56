//! River for Rust on Postgres: the crate riverqueue 0.5. What is set, and where that comes from, is in
//! `lib.rs`.

#![forbid(unsafe_code)]

use bench_riverqueue::{Postgres, River};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    outbox_contest::play::<River<Postgres>>(clap::Parser::parse()).await
}
