//! Entries are paths into other modules, and nothing needs to be imported where it is listed.

mod orders {
    pub mod events {
        #[derive(
            outbox_runtime::Event, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        #[event(name = "order.placed", key = id)]
        pub struct Placed {
            pub id: u64,
        }

        #[derive(
            outbox_runtime::Event, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        #[event(name = "order.cancelled", key = id)]
        pub(in crate::orders) struct Cancelled {
            pub id: u64,
        }
    }

    pub(crate) mod consumers {
        #[outbox_runtime::consumer(name = "email.receipt")]
        pub(crate) async fn receipt(_: outbox_runtime::Delivery<super::events::Placed>) {}

        #[outbox_runtime::consumer(name = "stock.release")]
        pub(super) async fn release(_: outbox_runtime::Delivery<crate::orders::events::Cancelled>) {
        }
    }

    outbox_runtime::registry! {
        pub(crate) struct Orders;
        consumers: [consumers::receipt, self::consumers::release],
        events: [events::Placed, crate::orders::events::Cancelled],
        state: super::AppState,
    }
}

pub struct AppState;

fn main() {
    use outbox_runtime::Registry;

    let registry = orders::Orders::registry();
    assert_eq!(registry.name, "Orders");
    assert_eq!(registry.events[0].rust_type, std::any::type_name::<orders::events::Placed>());
    assert_eq!(registry.consumers[1].event_name, "order.cancelled");
}
