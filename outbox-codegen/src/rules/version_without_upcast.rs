//! A version is bumped without an upcaster.

use super::{Rule, Verdict};

pub(crate) static RULE: Rule = Rule {
    id: "version-without-upcast",
    change: "a version is bumped without an upcaster",
    forward: Verdict::Breaks,
    backward: Verdict::Breaks,
    why: "What is in the log as the version before cannot be read as this one.",
    advice: "keep the type of the version before as `retired`, and write `#[event(upcast(from = ...))]` and a `From` for it",
    finds: |_| false,
};
