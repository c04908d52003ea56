//! An event is renamed.

use super::{Rule, Verdict};

pub(crate) static RULE: Rule = Rule {
    id: "event-renamed",
    change: "an event is renamed",
    forward: Verdict::Breaks,
    backward: Verdict::Breaks,
    why: "The name is how consumers find events, in the log as well. Nobody takes the old one any more, and nobody deployed the new one.",
    advice: "keep the name: `#[event(name = \"...\")]` need not be the type's",
    finds: |_| false,
};
