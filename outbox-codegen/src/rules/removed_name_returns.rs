//! A name that was removed comes back with another type.

use super::{Rule, Verdict};

pub(crate) static RULE: Rule = Rule {
    id: "removed-name-returns",
    change: "a name that was removed comes back with another type",
    forward: Verdict::Breaks,
    backward: Verdict::Breaks,
    why: "The log, and code that was not deployed for long, have the name as what it was before.",
    advice: "take another name; or bump the version, keep the old type as `retired`, and convert with `upcast(from = ...)`",
    finds: |_| false,
};
