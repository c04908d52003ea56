//! `cargo xtask chaos`: the long tests, with as many seeds as asked for.
//!
//! The same tests run in `cargo xtask test` with the few seeds they choose themselves; here they
//! get `OUTBOX_SEEDS`. The tests of faults append their figures to a file, a line of JSON for each
//! seed, of which the table at the end shows the worst.

mod table;

use std::ffi::OsStr;
use std::fs;

use anyhow::{Context, Result};

use crate::services::Services;
use crate::{suite, workspace};

use table::Table;

pub(crate) fn run(seeds: u32, only: &[String]) -> Result<()> {
    let services = Services::start()?;
    let folder = workspace::target_dir().join("chaos");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let figures = folder.join("figures.jsonl");
    fs::write(&figures, "").with_context(|| format!("cannot write {}", figures.display()))?;
    let seeds = seeds.to_string();
    let variables =
        [("OUTBOX_SEEDS", OsStr::new(&seeds)), ("OUTBOX_CHAOS_FIGURES", figures.as_os_str())];
    let ran = suite::aloud(&services, only, &variables);
    // After a failure as well: it shows which fault it was, and how the others went.
    let lines = fs::read_to_string(&figures)?;
    println!("\n{}", Table::of(&lines)?);
    ran
}
