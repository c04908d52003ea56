//! What the figures were measured on.

use std::fs;

use anyhow::Result;
use chrono::Utc;
use serde::{Deserialize, Serialize};

use crate::umpire::Server;

/// The machine, and the software that decides about the figures.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// The day of the run.
    date: String,
    processor: String,
    cores: usize,
    memory_gib: u64,
    kernel: String,
    postgres: String,
    sqlite: String,
}

impl Machine {
    pub(crate) async fn look(postgres: &Server) -> Result<Self> {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| -> String {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let value = line.map(|rest| rest.trim_start_matches([' ', '\t', ':']).trim());
            value.unwrap_or("unknown").to_owned()
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let memory_kib: u64 = memory.trim_end_matches(" kB").parse().unwrap_or(0);
        Ok(Self {
            date: Utc::now().date_naive().to_string(),
            processor: field(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism()?.get(),
            memory_gib: memory_kib.div_ceil(1024 * 1024),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            postgres: postgres.version().await?,
            sqlite: Server::Sqlite.version().await?,
        })
    }

    /// Whether it is the same but for the day.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        Self { date: other.date.clone(), ..self.clone() } == *other
    }

    /// As a sentence.
    pub(crate) fn described(&self) -> String {
        let Self { date, processor, cores, memory_gib, kernel, postgres, sqlite } = self;
        format!(
            "Measured on {date}: {cores} cores ({processor}), {memory_gib} GiB of memory, Linux \
             {kernel}, {postgres}, {sqlite}."
        )
    }
}
