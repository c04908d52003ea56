//! `waivers.toml`: breaks that somebody has looked at and lets pass, for a reason and for a time.

use std::path::Path;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Level, Report};
use crate::rules;
use crate::schemas::Error;

/// The file's name, beside the lock.
pub const FILE: &str = "waivers.toml";

/// A break that is let pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Waiver {
    /// The rule's name.
    pub rule: String,
    /// The event's name.
    pub event: String,
    /// The event's version.
    pub version: u32,
    /// Where in the payload, as the report says it; empty for the whole.
    #[serde(default)]
    pub path: String,
    /// Why it may pass.
    pub reason: String,
    /// The last day on which it may, as `"2026-12-31"`.
    pub expires: NaiveDate,
}

/// All waivers of a folder.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Waivers {
    /// In the order of the file.
    #[serde(default, rename = "waiver")]
    pub waivers: Vec<Waiver>,
}

impl Waivers {
    /// Reads `waivers.toml` in a folder; none where it does not exist.
    ///
    /// # Errors
    ///
    /// When it cannot be read, is not as described, names a rule that does not exist, or gives no reason.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(Error::io(&path, &error)),
        };
        Self::parse(&text).map_err(|why| Error::unusable(path.display(), why))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let waivers: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        for waiver in &waivers.waivers {
            if rules::named(&waiver.rule).is_none() {
                return Err(format!(
                    "there is no rule `{}`: take the name from the report, or from the list of rules",
                    waiver.rule
                ));
            }
            if waiver.reason.trim().is_empty() {
                return Err(format!("the waiver of `{}` gives no reason", waiver.rule));
            }
        }
        Ok(waivers)
    }

    /// Lets pass what is waived on this day, and notes which waivers waive nothing.
    pub fn apply(&self, report: &mut Report, today: NaiveDate) {
        for waiver in &self.waivers {
            let is_valid = waiver.expires >= today;
            let mut is_used = false;
            for finding in &mut report.findings {
                let is_meant = finding.level == Level::Breaking
                    && finding.rule.id == waiver.rule
                    && finding.event == waiver.event
                    && finding.version == waiver.version
                    && finding.path == waiver.path;
                if is_meant && is_valid {
                    finding.waived = Some(waiver.clone());
                    is_used = true;
                }
            }
            if !is_used {
                report.unused.push(waiver.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Waivers;

    #[test]
    fn a_waiver_that_cannot_be_meant_is_refused() {
        let with = |rule: &str, reason: &str, expires: &str| {
            format!(
                "[[waiver]]\nrule = {rule:?}\nevent = \"order.placed\"\nversion = 1\n\
                 reason = {reason:?}\nexpires = {expires:?}\n"
            )
        };
        let refused = |text: String| Waivers::parse(&text).expect_err("refused");
        let day = "2026-12-31";
        assert!(Waivers::parse(&with("type-replaced", "nobody wrote one", day)).is_ok());
        assert!(refused(with("type-replacd", "typo", day)).contains("no rule `type-replacd`"));
        assert!(refused(with("type-replaced", " ", day)).contains("gives no reason"));
        assert!(refused(with("type-replaced", "for ever", "never")).contains("expires"));
        assert!(refused("[[waivers]]".to_owned()).contains("waivers"));
    }
}
