//! The report for programs.

use serde_json::{Value, json};

use super::{Finding, Report};

impl Report {
    /// The report as JSON: whether it is `breaking`, and the `findings`, each with `rule`, `level`,
    /// `event`, `version`, `path`, `what`, and where there is one a `direction`, `reason`, `witness`,
    /// `revision`, `type`, `file`, `line`, `advice`, `consumers` and `waived`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let findings: Vec<Value> = self.findings.iter().map(one).collect();
        json!({
            "breaking": self.is_breaking(),
            "versions": self.versions,
            "compared": self.compared,
            "findings": findings,
            "unused_waivers": self.unused,
        })
    }
}

fn one(finding: &Finding) -> Value {
    let mut value = json!({
        "rule": finding.rule.id,
        "level": finding.level.name(),
        "event": finding.event,
        "version": finding.version,
        "path": finding.path,
        "what": finding.what,
        "consumers": finding.consumers,
    });
    let mut set = |name: &str, more: Option<Value>| {
        if let Some(more) = more {
            value[name] = more;
        }
    };
    set("direction", finding.direction.map(|direction| json!(direction.name())));
    set("reason", finding.reason.as_ref().map(|reason| json!(reason)));
    set("witness", finding.witness.clone());
    set("revision", finding.revision.map(|revision| json!(revision)));
    if let Some(declared) = &finding.declared {
        set("type", Some(json!(declared.rust_type)));
        set("file", Some(json!(declared.file)));
        set("line", Some(json!(declared.line)));
    }
    set("advice", (!finding.rule.advice.is_empty()).then(|| json!(finding.rule.advice)));
    set("waived", finding.waived.as_ref().map(|waiver| json!(waiver)));
    value
}
