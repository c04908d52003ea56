//! Something that cannot be decided.

use super::{Rule, Verdict};

pub(crate) static RULE: Rule = Rule {
    id: "unhandled",
    change: "something that cannot be decided",
    forward: Verdict::Breaks,
    backward: Verdict::Breaks,
    why: "There is neither a proof that everything is read, nor a value that is not. Who must be sure treats it as a break.",
    advice: "write the type in a way that the comparison knows; or have a person look, and waive it in `schemas/waivers.toml`",
    finds: |_| false,
};
