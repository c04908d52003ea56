//! What the key is made from changes.

use super::{Rule, Verdict};

pub(crate) static RULE: Rule = Rule {
    id: "key-changed",
    change: "what the key is made from changes",
    forward: Verdict::Warns,
    backward: Verdict::Warns,
    why: "Events before and after are ordered by different keys, and those of one key may come to another shard.",
    advice: "drain the ordered consumers before deploying this, or see that order between old and new events does not matter",
    finds: |_| false,
};
