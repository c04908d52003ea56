use outbox_runtime::{Event, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod billing {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(name = "invoice.paid")]
    pub struct Paid {}

    registry! {
        pub struct Billing;
        events: [Paid],
    }

    registry! {
        pub struct Finance;
        include: [Billing],
    }
}

mod invoices {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(name = "invoice.paid")]
    pub struct Paid {}

    #[consumer(name = "audit")]
    async fn audit(_: Paid) {}

    registry! {
        pub struct Invoices;
        events: [Paid],
        consumers: [audit],
    }
}

mod other {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(name = "other")]
    pub struct Other {}

    #[consumer(name = "audit")]
    async fn audit(_: Other) {}

    registry! {
        pub struct Others;
        events: [Other],
        consumers: [audit],
    }
}

registry! {
    struct Shop;
    include: [billing::Finance, invoices::Invoices],
}

registry! {
    struct Bazaar;
    include: [invoices::Invoices, other::Others],
}

fn main() {}
