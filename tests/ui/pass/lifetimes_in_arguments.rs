//! Lifetimes, named and elided, and `where` clauses about them.

use outbox_runtime::{Context, Delivery, Event, Registry, State, Tx, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::Postgres;

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "tick")]
struct Tick
where
    u64: Copy,
{
    n: u64,
}

#[consumer(name = "elided", delivery = tx)]
async fn elided(_: Tick, _: &mut Tx<'_, Postgres>) {}

#[consumer(name = "named", delivery = tx)]
async fn named<'t>(tick: Tick, tx: &'t mut Tx<'_, Postgres>) {
    tokio::task::yield_now().await;
    let _ = (tick.n, tx);
}

#[consumer(name = "both", delivery = tx)]
async fn both<'t, 'c>(tx: &'t mut Tx<'c, Postgres>, tick: Delivery<Tick>, _: Context)
where
    'c: 't,
{
    tokio::task::yield_now().await;
    let _ = (tick.n, tx);
}

#[consumer(name = "static")]
async fn statics(_: Delivery<Tick>, State(_name): State<&'static str>) -> &'static str
where
    Tick: Sized,
{
    "done"
}

registry! {
    struct Clock;
    state: &'static str,
    events: [Tick],
    consumers: [elided, named, both, statics],
}

fn main() {
    let bound = <Clock as outbox_runtime::Consumers<Postgres>>::consumers(&"state".into_state());
    assert_eq!(bound.len(), Clock::registry().consumers.len());
}

trait IntoState {
    fn into_state(self) -> std::sync::Arc<Self>;
}

impl IntoState for &'static str {
    fn into_state(self) -> std::sync::Arc<Self> {
        std::sync::Arc::new(self)
    }
}
