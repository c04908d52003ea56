//! A version is removed that was released.

use super::{Rule, Verdict};

pub(crate) static RULE: Rule = Rule {
    id: "version-removed",
    change: "a version is removed that was released",
    forward: Verdict::Safe,
    backward: Verdict::Breaks,
    why: "What is in the log of this version can be read by nobody any more, since the chain of upcasts ends before it.",
    advice: "keep its type as `retired`; or, when no log holds events of it, run `outbox schemas forget NAME VERSION`",
    finds: |_| false,
};
