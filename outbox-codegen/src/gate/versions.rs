//! A version that was released, and the same version as the code has it.

use super::finding::{Direction, Finding, Level};
use crate::changes::{self, Change};
use crate::compat::{self, Answer, Break, Step};
use crate::rules::{self, Rule, Verdict};
use crate::schemas::{Revision, Version};

/// Compares all that was released of a version with what it is now.
pub(super) fn compare(old: &Version, new: &Version, compared: &mut usize) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    let last = old.released.len();
    let added = match last {
        1 => Vec::new(),
        _ => added_since(&old.released[last - 1], &new.current),
    };
    // The last one first: what breaks with it need not be said again of those before it.
    for (index, revision) in old.released.iter().enumerate().rev() {
        let number = index + 1;
        if revision.is_same(&new.current) {
            if number == last
                && (revision.write != new.current.write || revision.read != new.current.read)
            {
                findings.push(documentation(new));
            }
            continue;
        }
        *compared += 1;
        let is_last = number == last;
        let pair =
            Pair { old: revision, new, reserved: &old.facts.reserved, added: &added, is_last };
        for mut finding in pair.findings() {
            let is_known = findings.iter().any(|known| {
                known.rule.id == finding.rule.id
                    && known.path == finding.path
                    && known.direction == finding.direction
            });
            if is_known || (!is_last && finding.level != Level::Breaking) {
                continue;
            }
            finding.revision = Some(number);
            finding.is_older = !is_last;
            findings.push(finding);
        }
    }
    findings
}

fn documentation(new: &Version) -> Finding {
    let rule = &rules::documentation_changed::RULE;
    let what = changes::Kind::Documentation.to_string();
    Finding { level: Level::Safe, ..Finding::of_version(rule, new, what) }
}

/// The fields that were not there when the version was released last.
fn added_since(old: &Revision, new: &Revision) -> Vec<Vec<Step>> {
    if old.is_same(new) {
        return Vec::new();
    }
    let is_added = |change: &Change| matches!(change.kind, changes::Kind::FieldAdded { .. });
    let changes = changes::between(old, new).into_iter();
    changes.filter(is_added).map(|change| change.path).collect()
}

struct Pair<'a> {
    old: &'a Revision,
    new: &'a Version,
    reserved: &'a [String],
    /// Where a name is new, as seen from the revision that was released last; asked of older ones only.
    added: &'a [Vec<Step>],
    is_last: bool,
}

impl Pair<'_> {
    fn findings(&self) -> Vec<Finding> {
        let changes = changes::between(self.old, &self.new.current);
        let mut findings = Vec::new();
        let mut explained = vec![false; changes.len()];
        for (direction, answer) in self.answers() {
            match answer {
                Answer::Holds => {}
                Answer::Breaks(breaks) => {
                    for one in breaks {
                        let place = self.explain(&changes, &one, direction);
                        if let Some(place) = place {
                            explained[place] = true;
                        }
                        let change = place.map(|place| &changes[place]);
                        findings.push(self.breaking(direction, change, &one));
                    }
                }
                Answer::Unknown(places) => {
                    for place in places {
                        let mut finding =
                            self.finding(&rules::unhandled::RULE, &[], place.to_string());
                        finding.direction = Some(direction);
                        findings.push(finding);
                    }
                }
            }
        }
        findings.dedup_by(|a, b| {
            (a.rule.id, &a.path, a.direction, &a.what) == (b.rule.id, &b.path, b.direction, &b.what)
        });
        let is_broken_inside = |change: &Change| {
            let mut broken = changes.iter().zip(&explained).filter(|(_, explained)| **explained);
            change.kind == changes::Kind::ItemsChanged
                && broken.any(|(other, _)| other.path.starts_with(&change.path))
        };
        for (change, explained) in changes.iter().zip(&explained) {
            if !explained && !is_broken_inside(change) {
                findings.push(self.harmless(change));
            }
        }
        findings
    }

    /// Nobody writes a version that is retired: what reads it need not read more.
    fn answers(&self) -> Vec<(Direction, Answer)> {
        let new = &self.new.current;
        let ask = |writer: &Revision, reader: &Revision| {
            compat::compare(&writer.write, &reader.reader()).unwrap_or_else(|errors| {
                let unusable = |error: compat::Unusable| compat::Unhandled {
                    pointer: error.pointer,
                    what: error.message,
                };
                Answer::Unknown(errors.into_iter().map(unusable).collect())
            })
        };
        let mut answers = Vec::new();
        if !self.new.facts.retired {
            answers.push((Direction::Forward, ask(new, self.old)));
        }
        answers.push((Direction::Backward, ask(self.old, new)));
        answers
    }

    /// The change that a break comes from: the nearest that breaks by its rule, or else the nearest.
    fn explain(&self, changes: &[Change], one: &Break, direction: Direction) -> Option<usize> {
        let score = |change: &Change| {
            let near = changes::explains(change, one)?;
            let rule = rules::of(&change.kind);
            let verdict = match direction {
                Direction::Forward => rule.forward,
                Direction::Backward => rule.backward,
            };
            let weight = match verdict {
                Verdict::Breaks => 2,
                Verdict::Depends(_) => 1,
                Verdict::Safe | Verdict::Warns => return None,
            };
            Some((weight, near))
        };
        let scored = changes.iter().enumerate().filter_map(|(i, change)| Some((score(change)?, i)));
        scored.max_by_key(|(score, place)| (*score, std::cmp::Reverse(*place))).map(|(_, i)| i)
    }

    fn breaking(&self, direction: Direction, change: Option<&Change>, one: &Break) -> Finding {
        let rule = match change {
            None => &rules::other_change::RULE,
            Some(change) if self.returns(change) => &rules::removed_name_returns::RULE,
            Some(change) => rules::of(&change.kind),
        };
        let (path, what) = match change {
            Some(change) => (change.path.as_slice(), change.kind.to_string()),
            None => (one.path.as_slice(), one.reason.to_string()),
        };
        Finding {
            direction: Some(direction),
            reason: Some(one.to_string()),
            witness: Some(one.witness.clone()),
            ..self.finding(rule, path, what)
        }
    }

    /// Whether this is about a name that was there before, was removed, and is back.
    fn returns(&self, change: &Change) -> bool {
        let is_reserved = || match change.path.as_slice() {
            [Step::Property(name)] => {
                matches!(change.kind, changes::Kind::FieldAdded { .. })
                    && self.reserved.contains(name)
            }
            _ => false,
        };
        let is_back =
            || !self.is_last && self.added.iter().any(|path| change.path.starts_with(path));
        is_reserved() || is_back()
    }

    fn harmless(&self, change: &Change) -> Finding {
        let rule = rules::of(&change.kind);
        let warns = [rule.forward, rule.backward].contains(&Verdict::Warns);
        let mut finding = self.finding(rule, &change.path, change.kind.to_string());
        finding.level = if warns { Level::Warning } else { Level::Safe };
        if self.returns(change) {
            finding.rule = &rules::removed_name_returns::RULE;
            finding.level = Level::Breaking;
        }
        finding
    }

    fn finding(&self, rule: &'static Rule, path: &[Step], what: String) -> Finding {
        Finding { path: compat::place(path), ..Finding::of_version(rule, self.new, what) }
    }
}
