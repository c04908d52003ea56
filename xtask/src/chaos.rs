//! `cargo xtask chaos`: the long tests, with as many seeds as asked for.
//!
//! The same tests run in `cargo xtask test` with the few seeds they choose themselves; here they
//! get `OUTBOX_SEEDS`, and the tables of figures they print appear on the terminal.

use std::ffi::OsStr;

use anyhow::Result;

use crate::services::Services;
use crate::suite;

pub(crate) fn run(seeds: u32) -> Result<()> {
    let services = Services::start()?;
    suite::aloud(&services, "chaos", &[("OUTBOX_SEEDS", OsStr::new(&seeds.to_string()))])
}
