//! The report for people.

use std::fmt;

use super::{Direction, Finding, Level, Report};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = None;
        for finding in &self.findings {
            let version = (&finding.event, finding.version);
            if before != Some(version) {
                write!(f, "{} version {}", finding.event, finding.version)?;
                match &finding.declared {
                    Some(declared) => writeln!(f, " ({declared})")?,
                    None => writeln!(f)?,
                }
                before = Some(version);
            }
            one(f, finding)?;
        }
        for waiver in &self.unused {
            let place = format!("`{}` of {} version {}", waiver.rule, waiver.event, waiver.version);
            writeln!(
                f,
                "the waiver of {place}{} waives nothing (it ends on {})",
                at(&waiver.path),
                waiver.expires
            )?;
        }
        self.summary(f)
    }
}

impl Report {
    fn summary(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |level| self.findings.iter().filter(|one| one.level == level).count();
        let waived = self.findings.iter().filter(|one| one.waived.is_some()).count();
        let breaking = count(Level::Breaking) - waived;
        writeln!(
            f,
            "{} released {}: {breaking} breaking, {waived} waived, {} {}, {} safe",
            self.versions,
            plural(self.versions, "version", "versions"),
            count(Level::Warning),
            plural(count(Level::Warning), "warning", "warnings"),
            count(Level::Safe),
        )
    }
}

fn plural(count: usize, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}

fn at(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" at {path}") }
}

fn one(f: &mut fmt::Formatter<'_>, finding: &Finding) -> fmt::Result {
    let Finding { rule, level, what, .. } = finding;
    let level = match (level, &finding.waived) {
        (Level::Breaking, None) => "BREAKING",
        (Level::Breaking, Some(_)) => "waived",
        (Level::Warning, _) => "warning",
        (Level::Safe, _) => "safe",
    };
    writeln!(f, "  {level} {}{}: {what}", rule.id, at(&finding.path))?;
    if let Some(waiver) = &finding.waived {
        return writeln!(f, "    until {}: {}", waiver.expires, waiver.reason);
    }
    if finding.level == Level::Safe {
        return Ok(());
    }
    if let Some(direction) = finding.direction {
        writeln!(f, "    {}: {}", direction.name(), reading(finding, direction))?;
    }
    if let (Some(reason), Some(witness)) = (&finding.reason, &finding.witness) {
        writeln!(f, "      {witness}")?;
        writeln!(f, "      {reason}")?;
    }
    if !finding.consumers.is_empty() {
        writeln!(f, "    consumers: {}", finding.consumers.join(", "))?;
    }
    if !rule.advice.is_empty() {
        writeln!(f, "    to do: {}", rule.advice)?;
    }
    Ok(())
}

fn reading(finding: &Finding, direction: Direction) -> String {
    let old = match finding.revision {
        Some(revision) if finding.is_older => {
            format!("what was released before (revision {revision})")
        }
        _ => "what was released".to_owned(),
    };
    match (direction, finding.witness.is_some()) {
        (Direction::Forward, true) => {
            format!("{old} does not read this, which the code may write:")
        }
        (Direction::Backward, true) => {
            format!("the code does not read this, which {old} may have written:")
        }
        (Direction::Forward, false) => format!("whether {old} reads all that the code writes"),
        (Direction::Backward, false) => format!("whether the code reads all that {old} wrote"),
    }
}
