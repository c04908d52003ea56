//! The headlines and the closing table of a run: what ran, how it ended, how long it took.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Result;

/// What ran so far.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

struct Row {
    step: &'static str,
    passed: bool,
    took: Duration,
}

impl Report {
    /// Runs one step under its headline and remembers how it went.
    pub(crate) fn step<T>(
        &mut self,
        step: &'static str,
        about: &str,
        run: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        println!("\n==> {step}: {about}");
        let start = Instant::now();
        let result = run();
        self.rows.push(Row { step, passed: result.is_ok(), took: start.elapsed() });
        result
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{:<12}{:<8}{:>8}", "step", "result", "seconds")?;
        for row in &self.rows {
            let result = if row.passed { "ok" } else { "FAILED" };
            writeln!(f, "{:<12}{:<8}{:>8.1}", row.step, result, row.took.as_secs_f64())?;
        }
        let total: Duration = self.rows.iter().map(|row| row.took).sum();
        write!(f, "{:<20}{:>8.1}", "total", total.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    #[test]
    fn the_table_shows_what_passed_and_what_failed() {
        let mut report = Report::default();
        report.step("fmt", "formatting", || Ok(())).expect("the step passes");
        report.step::<()>("tests", "tests", || bail!("no")).expect_err("the step fails");
        let table = report.to_string();
        let lines: Vec<_> = table.trim_start().lines().collect();
        assert!(lines[1].starts_with("fmt         ok"), "{table}");
        assert!(lines[2].starts_with("tests       FAILED"), "{table}");
        assert!(lines[3].starts_with("total"), "{table}");
    }
}
