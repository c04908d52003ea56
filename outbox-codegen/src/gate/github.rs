//! The report as annotations of a pull request on GitHub: workflow commands, one line each.

use super::{Finding, Level, Report};

impl Report {
    /// An `::error` for what breaks, a `::warning` for what may be taken for something else, and nothing
    /// for the rest.
    #[must_use]
    pub fn to_github(&self) -> String {
        self.findings.iter().filter_map(one).collect()
    }
}

fn one(finding: &Finding) -> Option<String> {
    let command = match (finding.level, &finding.waived) {
        (Level::Safe, _) | (_, Some(_)) => return None,
        (Level::Breaking, None) => "error",
        (Level::Warning, None) => "warning",
    };
    let mut properties = String::new();
    if let Some(declared) = finding.declared.as_ref().filter(|declared| declared.line > 0) {
        properties = format!("file={},line={},", property(&declared.file), declared.line);
    }
    let title = property(&format!("{}: {}", finding.place(), finding.rule.id));
    let mut message = finding.what.clone();
    if let (Some(reason), Some(witness)) = (&finding.reason, &finding.witness) {
        message.push_str(&format!("\n{witness}\n{reason}"));
    }
    if !finding.consumers.is_empty() {
        message.push_str(&format!("\nconsumers: {}", finding.consumers.join(", ")));
    }
    if !finding.rule.advice.is_empty() {
        message.push_str(&format!("\nto do: {}", finding.rule.advice));
    }
    Some(format!("::{command} {properties}title={title}::{}\n", data(&message)))
}

/// What would end a command, or begin another one, as GitHub's own toolkit escapes it
/// (`toCommandValue` and `escapeProperty` of `@actions/core`).
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
