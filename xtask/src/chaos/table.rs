//! The table of faults: for each fault and database, the worst that any seed showed.

use std::fmt;

use anyhow::{Context, Result};
use serde_json::Value;

/// The rows, in the order in which the tests ran.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Row>,
}

/// A fault on a database.
#[derive(Debug)]
struct Row {
    fault: String,
    seeds: u64,
    lost: u64,
    foreign: u64,
    /// How many, and how many there might have been, in the seed that had most.
    duplicates: (u64, u64),
    /// Whether a seed had more than it might have.
    too_many: bool,
    inversions: u64,
    exact: bool,
    /// In milliseconds, with the limit.
    resumed: Option<(u64, u64)>,
    /// What each seed kept of the rate without the fault, if its test says.
    kept: Vec<f64>,
}

impl Table {
    /// Reads what the tests wrote: an object a line.
    pub(super) fn of(figures: &str) -> Result<Self> {
        let mut table = Self::default();
        for line in figures.lines() {
            table.add(line).with_context(|| format!("cannot read the figures {line:?}"))?;
        }
        Ok(table)
    }

    fn add(&mut self, line: &str) -> Result<()> {
        let figures: Value = serde_json::from_str(line)?;
        let text = |name: &str| figures[name].as_str().with_context(|| format!("no {name}"));
        let number = |name: &str| figures[name].as_u64().with_context(|| format!("no {name}"));
        let fault = format!("{} ({})", text("fault")?, text("database")?);
        let index = self.rows.iter().position(|row| row.fault == fault).unwrap_or_else(|| {
            self.rows.push(Row::new(fault));
            self.rows.len() - 1
        });
        let row = &mut self.rows[index];
        let duplicates = (number("duplicates")?, number("bound")?);
        row.seeds += 1;
        row.lost += number("lost")?;
        row.foreign += number("foreign")?;
        row.inversions += number("inversions")?;
        row.exact &= figures["exact"].as_bool().context("no exact")?;
        row.too_many |= duplicates.0 > duplicates.1;
        if row.seeds == 1 || duplicates.0 > row.duplicates.0 {
            row.duplicates = duplicates;
        }
        if let (Some(took), Some(limit)) =
            (figures["resumed_ms"].as_u64(), figures["limit_ms"].as_u64())
        {
            row.resumed =
                Some(row.resumed.map_or((took, limit), |(worst, _)| (worst.max(took), limit)));
        }
        row.kept.extend(figures["kept"].as_f64());
        Ok(())
    }
}

impl Row {
    fn new(fault: String) -> Self {
        Self {
            fault,
            seeds: 0,
            lost: 0,
            foreign: 0,
            duplicates: (0, 0),
            too_many: false,
            inversions: 0,
            exact: true,
            resumed: None,
            kept: Vec::new(),
        }
    }

    fn cells(&self) -> [String; 9] {
        let (duplicates, bound) = self.duplicates;
        let too_many = if self.too_many { " TOO MANY" } else { "" };
        let resumed = self.resumed.map_or_else(
            || "-".to_owned(),
            |(took, limit)| format!("{} / {} s", seconds(took), seconds(limit)),
        );
        [
            self.fault.clone(),
            self.seeds.to_string(),
            self.lost.to_string(),
            self.foreign.to_string(),
            format!("{duplicates} / {bound}{too_many}"),
            self.inversions.to_string(),
            if self.exact { "yes" } else { "NO" }.to_owned(),
            resumed,
            self.rate_kept(),
        ]
    }

    fn rate_kept(&self) -> String {
        let mut kept = self.kept.clone();
        kept.sort_by(f64::total_cmp);
        match kept[..] {
            [] => "-".to_owned(),
            [worst, ..] => format!("{worst:.2} / {:.2}", kept[kept.len() / 2]),
        }
    }
}

const HEADS: [&str; 9] = [
    "fault",
    "seeds",
    "lost",
    "foreign",
    "duplicates worst / bound",
    "inversions",
    "projection exact",
    "resumed worst / limit",
    "rate kept worst / median",
];

/// As Markdown, to be pasted into a note.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<[String; 9]> = self.rows.iter().map(Row::cells).collect();
        let widths: Vec<usize> = HEADS
            .iter()
            .enumerate()
            .map(|(column, head)| {
                let cells = rows.iter().map(|row| row[column].len());
                cells.chain([head.len()]).max().unwrap_or(0)
            })
            .collect();
        let line = |f: &mut fmt::Formatter<'_>, cells: &[String; 9]| {
            for (cell, width) in cells.iter().zip(&widths) {
                write!(f, "| {cell:width$} ")?;
            }
            writeln!(f, "|")
        };
        line(f, &HEADS.map(str::to_owned))?;
        for width in &widths {
            write!(f, "|{}", "-".repeat(width + 2))?;
        }
        writeln!(f, "|")?;
        rows.iter().try_for_each(|row| line(f, row))
    }
}

fn seconds(ms: u64) -> String {
    format!("{}.{:02}", ms / 1_000, ms % 1_000 / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(duplicates: u64, bound: u64, resumed_ms: Option<u64>, exact: bool) -> String {
        serde_json::json!({
            "fault": "a fault", "database": "Sqlite", "seed": 0, "lost": 0, "foreign": 1,
            "duplicates": duplicates, "bound": bound, "inversions": 0, "exact": exact,
            "resumed_ms": resumed_ms, "limit_ms": resumed_ms.map(|_| 7_000),
            "kept": resumed_ms.map(|ms| ms as f64 / 1_000.0), "note": "",
        })
        .to_string()
    }

    #[test]
    fn the_worst_of_all_seeds_is_shown() {
        let lines = [
            figures(2, 5, Some(2_050), true),
            figures(3, 3, Some(6_999), true),
            figures(1, 9, Some(1), true),
        ];
        let table = Table::of(&lines.join("\n")).expect("figures");
        let row = table.rows[0].cells();
        let expected = [
            "a fault (Sqlite)",
            "3",
            "0",
            "3",
            "3 / 3",
            "0",
            "yes",
            "6.99 / 7.00 s",
            "0.00 / 2.05",
        ];
        assert_eq!(row, expected);
    }

    #[test]
    fn one_bad_seed_is_not_hidden_by_the_others() {
        let lines = [figures(2, 1, None, false), figures(3, 3, None, true)];
        let row = Table::of(&lines.join("\n")).expect("figures").rows[0].cells();
        assert_eq!(&row[4..], ["3 / 3 TOO MANY", "0", "NO", "-", "-"]);
    }

    #[test]
    fn a_line_that_is_cut_off_is_an_error() {
        assert!(Table::of("{\"fault\": \"a").is_err());
        assert!(Table::of("{\"fault\": \"a\", \"database\": \"Sqlite\"}").is_err());
    }
}
