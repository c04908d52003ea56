//! Processes that are really killed. `cargo xtask chaos` runs every seed and prints the tables;
//! `cargo xtask test` runs a few.

mod abort;
mod cancelled;
mod kill;
mod victim;

/// How many seeds.
fn seeds() -> u64 {
    std::env::var("OUTBOX_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(2)
}
