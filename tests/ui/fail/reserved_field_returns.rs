use outbox_runtime::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", reserved("coupon", "voucher"))]
struct OrderPlaced {
    coupon: String,
    #[serde(rename = "voucher")]
    code: String,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.changed", reserved("note"))]
enum OrderChanged {
    Renamed { name: String },
    Noted { note: String },
}

fn main() {}
