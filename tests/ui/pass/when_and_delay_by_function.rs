//! `when` and `delay` name a function: of a module, a method, a generic one, or a constant.

use std::time::Duration;

use outbox_runtime::{ConsumerDef, Delivery, Event, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed")]
struct OrderPlaced {
    total: u64,
}

impl OrderPlaced {
    fn is_large(&self) -> bool {
        self.total > 100
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(self.total)
    }
}

trait Total {
    fn total(&self) -> u64;
}

impl Total for OrderPlaced {
    fn total(&self) -> u64 {
        self.total
    }
}

mod rules {
    use super::*;

    pub fn positive<E: Total>(event: &E) -> bool {
        event.total() > 0
    }

    pub fn never<'a>(_: &'a OrderPlaced) -> bool {
        false
    }

    pub fn later<E: Total + ?Sized>(event: &E) -> Duration {
        Duration::from_millis(event.total())
    }
}

const EVEN: fn(&OrderPlaced) -> bool = |order| order.total % 2 == 0;

#[consumer(name = "method", when = OrderPlaced::is_large, delay = OrderPlaced::patience)]
async fn method(_: Delivery<OrderPlaced>) {}

#[consumer(name = "generic", when = rules::positive, delay = rules::later::<OrderPlaced>)]
async fn generic(_: Delivery<OrderPlaced>) {}

#[consumer(name = "constant", when = EVEN)]
async fn constant(_: Delivery<OrderPlaced>) {}

#[consumer(name = "lifetime", when = rules::never)]
async fn lifetime(_: Delivery<OrderPlaced>) {}

#[consumer(
    name = "closure",
    when = |order: &OrderPlaced| -> bool { order.total != 7 },
    delay = |OrderPlaced { total }| Duration::from_secs(*total),
)]
async fn closure(_: Delivery<OrderPlaced>) {}

fn main() {
    let order = |total| OrderPlaced { total };
    assert!(method::when(&order(101)) && !method::when(&order(100)));
    assert_eq!(method::delay(&order(5)), Some(Duration::from_secs(5)));
    assert!(generic::when(&order(1)) && !generic::when(&order(0)));
    assert_eq!(generic::delay(&order(5)), Some(Duration::from_millis(5)));
    assert!(constant::when(&order(2)) && !constant::when(&order(1)));
    assert!(!lifetime::when(&order(1)));
    assert!(closure::when(&order(8)) && !closure::when(&order(7)));
    assert_eq!(closure::delay(&order(5)), Some(Duration::from_secs(5)));
}
