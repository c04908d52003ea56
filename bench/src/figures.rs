//! What is measured, and what several runs of it come to.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A kind of figure, with its unit.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Metric {
    /// Deliveries or commits.
    PerSecond,
    /// Deliveries, from the first one on.
    PerSecondFromTheFirst,
    /// Deliveries in the last ten seconds.
    PerSecondAtTheEnd,
    /// From the return of a commit to the start of the handler.
    P50Ms,
    P99Ms,
    MaxMs,
    /// From "go" to the first event.
    FirstMs,
    /// A statement that reads what waits.
    ReadP50Ms,
    ReadP99Ms,
    /// Committed, and not delivered two seconds after the last.
    Undelivered,
    /// Write-ahead log for each delivery or commit.
    WalBytes,
    /// Write-ahead log for each event that is emitted in bulk.
    WalBytesEmitted,
    /// Rows updated or deleted for each delivery.
    DeadRows,
    /// The same in the whole run.
    DeadRowsInAll,
    PeakMib,
    /// Of one core.
    ProcessorPercent,
    TransactionsPerSecond,
    TransactionIds,
}

impl Metric {
    /// The head of a column.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::PerSecond => "per second",
            Self::PerSecondFromTheFirst => "per second from the first on",
            Self::PerSecondAtTheEnd => "per second at the end",
            Self::P50Ms => "p50, ms",
            Self::P99Ms => "p99, ms",
            Self::MaxMs => "max, ms",
            Self::FirstMs => "first after, ms",
            Self::ReadP50Ms => "reads: p50, ms",
            Self::ReadP99Ms => "reads: p99, ms",
            Self::Undelivered => "undelivered",
            Self::WalBytes => "WAL, bytes each",
            Self::WalBytesEmitted => "WAL, bytes per event emitted",
            Self::DeadRows => "dead rows each",
            Self::DeadRowsInAll => "dead rows",
            Self::PeakMib => "peak memory, MiB",
            Self::ProcessorPercent => "% of a core",
            Self::TransactionsPerSecond => "transactions/s",
            Self::TransactionIds => "transaction ids",
        }
    }

    /// Whether more of it is better.
    pub(crate) fn more_is_better(self) -> bool {
        matches!(self, Self::PerSecond | Self::PerSecondFromTheFirst | Self::PerSecondAtTheEnd)
    }
}

/// What one run showed.
pub(crate) type Figures = BTreeMap<Metric, f64>;

/// What became of a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    Measured(Figures),
    /// The contestant says why.
    Unsupported(String),
    /// Something went wrong.
    Failed(String),
}

/// What several runs came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub(crate) figures: BTreeMap<Metric, Spread>,
    /// Why there is nothing, or less than there should be.
    pub(crate) remarks: Vec<String>,
}

impl Summary {
    pub(crate) fn of(outcomes: &[Outcome]) -> Self {
        let mut values: BTreeMap<Metric, Vec<f64>> = BTreeMap::new();
        let mut remarks = Vec::new();
        for outcome in outcomes {
            match outcome {
                Outcome::Measured(figures) => {
                    for (metric, value) in figures {
                        values.entry(*metric).or_default().push(*value);
                    }
                }
                Outcome::Unsupported(why) => remarks.push(why.clone()),
                Outcome::Failed(why) => remarks.push(format!("failed: {why}")),
            }
        }
        remarks.dedup();
        let spread = |(metric, values)| Some((metric, Spread::of(values)?));
        Self { figures: values.into_iter().filter_map(spread).collect(), remarks }
    }
}

/// The median of some values, and the least and the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) runs: usize,
}

impl Spread {
    /// Of any number of values but none. Of an even number, the lower one in the middle.
    fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        Some(Self { median: values[(values.len() - 1) / 2], min, max, runs: values.len() })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&rounded(self.median))?;
        if self.runs > 1 && (self.min, self.max) != (self.median, self.median) {
            write!(f, " ({} to {})", rounded(self.min), rounded(self.max))?;
        }
        Ok(())
    }
}

/// To three digits that count, and thousands set apart.
pub(crate) fn rounded(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if value.abs() < 0.000_05 {
        return "< 0.0001".to_owned();
    }
    let before_point = value.abs().log10().floor() as i32 + 1;
    if before_point < 3 {
        let decimals = usize::try_from(3 - before_point).unwrap_or(0).min(4);
        return format!("{value:.decimals$}");
    }
    let unit = 10_f64.powi(before_point - 3);
    let whole = format!("{:.0}", (value / unit).round() * unit);
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_count() {
        let cases = [
            (0.0, "0"),
            (0.000_01, "< 0.0001"),
            (0.012_34, "0.0123"),
            (0.5, "0.500"),
            (1.234, "1.23"),
            (23.45, "23.4"),
            (999.6, "1,000"),
            (187_654.0, "188,000"),
            (1_234_567.0, "1,230,000"),
        ];
        for (value, shown) in cases {
            assert_eq!(rounded(value), shown, "{value}");
        }
    }

    #[test]
    fn a_summary_has_medians_and_says_what_failed() {
        let measured = |value| Outcome::Measured(Figures::from([(Metric::PerSecond, value)]));
        let failed = Outcome::Failed("no luck".to_owned());
        let summary = Summary::of(&[measured(3.0), failed, measured(1.0), measured(2.0)]);
        let spread = summary.figures[&Metric::PerSecond];
        assert_eq!(spread, Spread { median: 2.0, min: 1.0, max: 3.0, runs: 3 });
        assert_eq!(spread.to_string(), "2.00 (1.00 to 3.00)");
        assert_eq!(summary.remarks, ["failed: no luck"]);
    }
}
