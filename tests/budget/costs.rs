//! What is counted.

use std::fmt;
use std::ops::{Div, Sub};

/// Counts, of everything or for each event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Costs {
    /// Sent to the server.
    pub(crate) statements: f64,
    /// Inserted, updated or deleted.
    pub(crate) rows: f64,
    /// Updated or deleted.
    pub(crate) dead_rows: f64,
    /// Of the write-ahead log.
    pub(crate) wal_bytes: f64,
    pub(crate) transaction_ids: f64,
    /// Of memory, in this process.
    pub(crate) allocations: f64,
    /// Of the table of events or one of its indexes.
    pub(crate) scans: f64,
}

impl Costs {
    const NAMES: [&'static str; 7] = [
        "statements",
        "rows",
        "dead rows",
        "WAL bytes",
        "transaction ids",
        "allocations",
        "scans of the log",
    ];

    fn values(&self) -> [f64; 7] {
        let Self { statements, rows, dead_rows, wal_bytes, transaction_ids, allocations, scans } =
            *self;
        [statements, rows, dead_rows, wal_bytes, transaction_ids, allocations, scans]
    }

    fn of(values: [f64; 7]) -> Self {
        let [statements, rows, dead_rows, wal_bytes, transaction_ids, allocations, scans] = values;
        Self { statements, rows, dead_rows, wal_bytes, transaction_ids, allocations, scans }
    }

    /// More than anything costs.
    pub(crate) const MOST: Self = Self {
        statements: f64::MAX,
        rows: f64::MAX,
        dead_rows: f64::MAX,
        wal_bytes: f64::MAX,
        transaction_ids: f64::MAX,
        allocations: f64::MAX,
        scans: f64::MAX,
    };

    /// The lesser of each.
    pub(crate) fn or_less(&self, other: &Self) -> Self {
        let (own, other) = (self.values(), other.values());
        Self::of(std::array::from_fn(|place| own[place].min(other[place])))
    }

    /// What is more than the budget, in words.
    pub(crate) fn over(&self, what: &str, budget: &Self) -> Vec<String> {
        let compared = Self::NAMES.into_iter().zip(self.values()).zip(budget.values());
        let over = compared.filter(|((_, value), most)| value > most);
        over.map(|((name, value), most)| {
            format!("{what} costs {value:.4} {name}, and the budget is {most}")
        })
        .collect()
    }
}

impl Sub for Costs {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        let (own, other) = (self.values(), other.values());
        Self::of(std::array::from_fn(|place| own[place] - other[place]))
    }
}

impl Div<f64> for Costs {
    type Output = Self;

    fn div(self, by: f64) -> Self {
        Self::of(self.values().map(|value| value / by))
    }
}

impl fmt::Display for Costs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::NAMES.into_iter().zip(self.values());
        let shown: Vec<String> = named.map(|(name, value)| format!("{value:.4} {name}")).collect();
        f.write_str(&shown.join(", "))
    }
}
