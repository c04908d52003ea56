//! Aliases of events, of states and of results mean what they stand for.

use outbox_runtime::{ConsumerDef, Delivery, Event, FromRef, Registry, State, Tx, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 2, upcast(from = Older))]
struct OrderPlacedV2 {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", retired)]
struct OrderPlacedV1 {}

type OrderPlaced = OrderPlacedV2;
type Older = OrderPlacedV1;
type Result<T = ()> = std::result::Result<T, std::io::Error>;
type Database = sqlx::Postgres;
type Name = &'static str;
struct AppState {
    name: Name,
}

impl From<Older> for OrderPlaced {
    fn from(_: Older) -> Self {
        Self {}
    }
}

impl FromRef<AppState> for Name {
    fn from_ref(state: &AppState) -> Self {
        state.name
    }
}

#[consumer(name = "email.receipt")]
async fn receipt(_: Delivery<OrderPlaced>, State(_name): State<Name>) -> Result {
    Ok(())
}

#[consumer(name = "stock.reserve", delivery = tx)]
async fn reserve(_: OrderPlaced, _: &mut Tx<'_, Database>) -> Result<Name> {
    Ok("reserved")
}

registry! {
    struct Shop;
    state: AppState,
    events: [OrderPlaced, Older],
    consumers: [receipt, reserve],
}

fn main() {
    assert_eq!(receipt::OPTIONS.name, "email.receipt");
    assert_eq!(Shop::registry().events[0].version, 2);
}
