//! What a comparison found, for people and for programs.

use std::fmt;

use serde_json::{Value, json};

use super::accepts::Unhandled;
use super::engine::{Answer, Break, Reason, Step};

/// Which way round schemas are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Direction {
    /// Whether what is deployed reads what is written from now on.
    Forward,
    /// Whether what is deployed next reads what was written before.
    Backward,
    /// Both.
    Full,
}

/// The answers for the directions that were asked for.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// Whether the old reads what the new writes.
    pub forward: Option<Answer>,
    /// Whether the new reads what the old wrote.
    pub backward: Option<Answer>,
}

impl Report {
    /// Whether every answer is that everything is read.
    #[must_use]
    pub fn is_compatible(&self) -> bool {
        [&self.forward, &self.backward].into_iter().flatten().all(Answer::holds)
    }

    /// The report as JSON: for each direction a `verdict` (`compatible`, `breaking` or `unhandled`),
    /// the `breaks` with `path`, `reason` and `witness`, and what was `unhandled`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut report = json!({ "compatible": self.is_compatible() });
        for (name, answer) in [("forward", &self.forward), ("backward", &self.backward)] {
            if let Some(answer) = answer {
                report[name] = answer.to_json();
            }
        }
        report
    }
}

impl Answer {
    /// Whether everything is read.
    #[must_use]
    pub fn holds(&self) -> bool {
        *self == Self::Holds
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Holds => json!({ "verdict": "compatible" }),
            Self::Breaks(breaks) => {
                let breaks: Vec<Value> = breaks
                    .iter()
                    .map(|one| {
                        json!({
                            "path": one.place(),
                            "reason": one.reason.to_string(),
                            "witness": one.witness,
                        })
                    })
                    .collect();
                json!({ "verdict": "breaking", "breaks": breaks })
            }
            Self::Unknown(places) => {
                let places: Vec<Value> = places
                    .iter()
                    .map(|place| json!({ "pointer": place.pointer, "what": place.what }))
                    .collect();
                json!({ "verdict": "unhandled", "unhandled": places })
            }
        }
    }
}

impl Break {
    /// Where in the value, such as `.items[].price`; nothing for the whole.
    #[must_use]
    pub fn place(&self) -> String {
        place(&self.path)
    }
}

pub(crate) fn place(path: &[Step]) -> String {
    let step = |step: &Step| match step {
        Step::Property(name) => format!(".{name}"),
        Step::AnyProperty => ".*".to_owned(),
        Step::Item(index) => format!("[{index}]"),
        Step::AnyItem => "[]".to_owned(),
    };
    path.iter().map(step).collect()
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.is_empty() {
            true => write!(f, "the value: {}", self.reason),
            false => write!(f, "{}: {}", self.place(), self.reason),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => {
                write!(f, "`{name}` may be absent, and the reader requires it")
            }
            Self::Unexpected(name) => {
                write!(f, "`{name}` may be present, and the reader refuses it")
            }
            Self::Kind => f.write_str("a kind of value that the reader does not take"),
            Self::Value => f.write_str("a value that is none of those that the reader knows"),
            Self::Bounds => {
                f.write_str("a number, a length or a count beyond the bounds of the reader")
            }
            Self::Pattern(pattern) => {
                write!(f, "a text that need not match the reader's pattern `{pattern}`")
            }
            Self::Format(format) => {
                write!(f, "a text that need not be a `{format}`, which the reader parses")
            }
            Self::Multiple => f.write_str("a number that need not be the reader's multiple"),
            Self::Repeated => f.write_str("items may be repeated, and the reader wants each once"),
            Self::Name => f.write_str("the name of a property that the reader refuses"),
            Self::Excluded => {
                f.write_str("a value that the reader excludes, or takes for two things")
            }
        }
    }
}

impl fmt::Display for Unhandled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "the root" } else { &self.pointer };
        write!(f, "UNHANDLED at {pointer}: {}", self.what)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directions = [
            ("forward (the old reads what the new writes)", &self.forward),
            ("backward (the new reads what the old wrote)", &self.backward),
        ];
        for (name, answer) in directions {
            match answer {
                None => {}
                Some(Answer::Holds) => writeln!(f, "{name}: compatible")?,
                Some(Answer::Breaks(breaks)) => {
                    writeln!(f, "{name}: BREAKING")?;
                    for one in breaks {
                        writeln!(f, "  {one}\n    for example {}", one.witness)?;
                    }
                }
                Some(Answer::Unknown(places)) => {
                    writeln!(f, "{name}: cannot be decided, which counts as breaking")?;
                    for place in places {
                        writeln!(f, "  {place}")?;
                    }
                }
            }
        }
        Ok(())
    }
}
