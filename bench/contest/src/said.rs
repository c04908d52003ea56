//! What a contestant says to the umpire: a line of JSON each.

use serde::{Deserialize, Serialize};

use crate::clock::Monotonic;

/// A line on a contestant's standard output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// Everything is prepared: it waits for a line on its standard input, and then begins.
    Ready,
    /// So many events were handled so far, or transactions committed.
    Handled(u64),
    /// It is over.
    Done {
        /// So many were handled and recorded, emitted, or committed.
        count: u64,
        /// When the first of them was handled, if any was.
        first: Option<Monotonic>,
        /// The most memory that the process ever had.
        peak_kib: u64,
    },
    /// How long the statements took that returned several rows: a quantile each, in nanoseconds.
    Reads {
        /// Half of them took no longer.
        p50: u64,
        /// 99 of 100 took no longer.
        p99: u64,
    },
    /// It cannot do that, and why.
    Unsupported(String),
}

impl Said {
    /// Writes the line.
    ///
    /// # Errors
    ///
    /// None but those of JSON, of which there are none.
    pub fn say(&self) -> anyhow::Result<()> {
        // `println!` takes the line as a whole, and flushes at its end.
        println!("{}", serde_json::to_string(self)?);
        Ok(())
    }
}
