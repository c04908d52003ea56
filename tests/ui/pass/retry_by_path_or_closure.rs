//! A function decides about retries: by its path, as a closure, as a constant or as a method.

use std::time::Duration;

use outbox_runtime::{
    Attempt, ConsumerDef, ConsumerError, Delivery, Event, Retry, RetryFn, consumer,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "tick")]
struct Tick {}

mod policies {
    use super::*;

    pub fn patient(attempt: &Attempt, _: &ConsumerError) -> Retry {
        Retry::After(Duration::from_secs(u64::from(attempt.number)))
    }

    pub struct Policy;

    impl Policy {
        pub fn decide(_: &Attempt, error: &ConsumerError) -> Retry {
            if error.to_string().is_empty() { Retry::Dead } else { Retry::After(Duration::ZERO) }
        }
    }
}

const CONSTANT: RetryFn = policies::patient;

#[consumer(name = "path", retry = policies::patient)]
async fn path(_: Delivery<Tick>) {}

#[consumer(name = "method", retry = policies::Policy::decide)]
async fn method(_: Delivery<Tick>) {}

#[consumer(name = "constant", retry = CONSTANT)]
async fn constant(_: Delivery<Tick>) {}

#[consumer(name = "closure", retry = |attempt, _| match attempt.number {
    1 => Retry::After(Duration::from_secs(1)),
    _ => Retry::Dead,
})]
async fn closure(_: Delivery<Tick>) {}

#[consumer(name = "typed", retry(max = 20, with = |_: &Attempt, _: &ConsumerError| Retry::Dead))]
async fn typed(_: Delivery<Tick>) {}

#[consumer(name = "list", retry(with = policies::patient, max = 2,))]
async fn list(_: Delivery<Tick>) {}

#[consumer(name = "once", retry = none)]
async fn once(_: Delivery<Tick>) {}

fn main() {
    let attempts = [
        path::OPTIONS.retry.max_attempts(),
        method::OPTIONS.retry.max_attempts(),
        constant::OPTIONS.retry.max_attempts(),
        closure::OPTIONS.retry.max_attempts(),
        typed::OPTIONS.retry.max_attempts(),
        list::OPTIONS.retry.max_attempts(),
        once::OPTIONS.retry.max_attempts(),
    ];
    assert_eq!(attempts, [10, 10, 10, 10, 20, 2, 1]);
}
