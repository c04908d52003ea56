//! What the options of consumers and handlers mean, in words.

use outbox_runtime::{ConsumerInfo, DelayInfo, DeliveryMode, HandlerInfo, OnDead, Start};

use crate::duration::short;

/// Every option, by the name that it has in `#[consumer]`.
pub(super) fn all(consumer: &ConsumerInfo) -> Vec<[String; 2]> {
    let options = &consumer.options;
    let row = |option: &str, says: String| Some([format!("`{option}`"), says]);
    let rows = [
        row("delivery", delivery(consumer).to_owned()),
        row("ordered", order(consumer).to_owned()),
        options.ordered.then(|| ["`on_dead`".to_owned(), on_dead(options.on_dead).to_owned()]),
        row("retry", retry(consumer)),
        row("timeout", format!("{} for an attempt", short(options.timeout))),
        (options.mode != DeliveryMode::Tx).then(|| {
            ["`concurrency`".to_owned(), format!("{} at once in a shard", options.concurrency)]
        }),
        row("shards", options.shards.to_string()),
        options.batch.map(|_| ["`batch`".to_owned(), batch(consumer).unwrap_or_default()]),
        row("delay", delay(consumer).unwrap_or_else(|| "none".to_owned())),
        row("when", if consumer.when { "a function says which" } else { "every event" }.to_owned()),
        row("start", start(options.start)),
        row("audit", if options.audit { "every outcome is kept" } else { "no" }.to_owned()),
    ];
    rows.into_iter().flatten().collect()
}

/// What sets a consumer apart, for a table of many.
pub(super) fn others(consumer: &ConsumerInfo) -> String {
    let options = &consumer.options;
    let says = [
        batch(consumer).map(|batch| format!("batches: {batch}")),
        delay(consumer),
        consumer.when.then(|| "a function says which events".to_owned()),
        (options.shards != 1).then(|| format!("{} shards", options.shards)),
        (options.on_dead == OnDead::Continue).then(|| on_dead(options.on_dead).to_owned()),
        (options.start != Start::Now).then(|| format!("starts {}", start(options.start))),
        options.audit.then(|| "audited".to_owned()),
    ];
    says.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

pub(super) fn delivery(consumer: &ConsumerInfo) -> &'static str {
    match consumer.options.mode {
        DeliveryMode::AtLeastOnce => "at least once",
        DeliveryMode::Tx => "exactly once, in the database",
    }
}

pub(super) fn order(consumer: &ConsumerInfo) -> &'static str {
    if consumer.options.ordered { "events of one key one after another" } else { "any order" }
}

pub(super) fn retry(consumer: &ConsumerInfo) -> String {
    let retry = consumer.options.retry;
    match (retry.max_attempts(), retry.backoff_range()) {
        (0 | 1, _) => "one attempt".to_owned(),
        (max, Some((min, most))) if min == most => format!("{max} attempts, {} apart", short(min)),
        (max, Some((min, most))) => {
            format!("{max} attempts, {} to {} apart", short(min), short(most))
        }
        (max, None) => format!("at most {max} attempts, a function says when"),
    }
}

/// Whose transaction a handler emits in.
pub(super) fn transaction(handler: &HandlerInfo) -> String {
    if handler.commits { "its own" } else { "the caller's" }.to_owned()
}

fn batch(consumer: &ConsumerInfo) -> Option<String> {
    let batch = consumer.options.batch?;
    Some(format!("up to {} events, gathered for {}", batch.max, short(batch.wait)))
}

fn delay(consumer: &ConsumerInfo) -> Option<String> {
    match consumer.delay {
        DelayInfo::None => None,
        DelayInfo::Always(delay) => Some(format!("{} after the event", short(delay))),
        DelayInfo::ByEvent => Some("a function of the event says how long after it".to_owned()),
    }
}

fn on_dead(on_dead: OnDead) -> &'static str {
    match on_dead {
        OnDead::Hold => "a dead letter holds its key",
        OnDead::Continue => "a key goes on without its dead letter",
    }
}

fn start(start: Start) -> String {
    match start {
        Start::Now => "with what comes after its registration".to_owned(),
        Start::Beginning => "at the beginning of the log".to_owned(),
        Start::At(time) => format!("at {}", time.to_rfc3339()),
    }
}
