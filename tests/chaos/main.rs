//! Processes, servers and connections that are really broken. `cargo xtask chaos` runs every seed
//! and prints the table; `cargo xtask test` runs few.

mod abort;
mod cancelled;
mod deploy;
mod explain;
mod kill;
mod load;
mod network;
mod reshard;
mod restore;
mod scene;
mod server;
mod verdict;
mod victim;
mod workers;

/// How many seeds, where nobody says.
fn seeds() -> u64 {
    std::env::var("OUTBOX_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(1)
}

/// Whether somebody asked for seeds: then what the issue says a minute for takes a minute.
fn is_long() -> bool {
    std::env::var_os("OUTBOX_SEEDS").is_some()
}

/// Declares the tests of faults: what the table calls it, the function that plays a seed, and the
/// tests with their databases; without one where the fault is Postgres' own.
macro_rules! faults {
    ($fault:literal, $play:ident: $($name:ident on $database:ident),+ $(,)?) => {
        $(crate::faults! { @ $name, $fault, stringify!($database), $play::<$database> })+
    };
    ($fault:literal, $play:ident: $name:ident $(,)?) => {
        crate::faults! { @ $name, $fault, "Postgres", $play }
    };
    (@ $name:ident, $fault:literal, $database:expr, $play:expr) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() -> anyhow::Result<()> {
            let mut verdicts = Vec::new();
            for seed in 0..crate::seeds() {
                let verdict = $play(seed).await?;
                verdict.print($fault, $database, seed);
                verdicts.push(verdict);
            }
            // Afterwards, so that the table has every seed.
            for (seed, verdict) in (0..).zip(&verdicts) {
                verdict.check($fault, seed);
            }
            crate::verdict::Verdict::check_all($fault, &verdicts);
            Ok(())
        }
    };
}
use faults;
