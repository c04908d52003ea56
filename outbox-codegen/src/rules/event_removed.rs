//! An event is removed.

use super::{Rule, Verdict};

pub(crate) static RULE: Rule = Rule {
    id: "event-removed",
    change: "an event is removed",
    forward: Verdict::Safe,
    backward: Verdict::Breaks,
    why: "What is in the log can be read by nobody any more.",
    advice: "keep the type as `retired`; or, when no log holds such events, run `outbox schemas forget NAME VERSION`",
    finds: |_| false,
};
