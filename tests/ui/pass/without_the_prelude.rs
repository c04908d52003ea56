//! What is generated needs no prelude, as in modules with `#[no_implicit_prelude]`. (Schemars's derive
//! and `registry!` do need one.)

#[no_implicit_prelude]
mod strict {
    use ::outbox_runtime::{Batch, Delivery, Event, State, Tx, consumer};
    use ::std::prelude::v1::derive;

    #[derive(Event, ::serde::Serialize, ::serde::Deserialize)]
    #[event(name = "order.placed", version = 2, key = id, upcast(from = Older))]
    pub struct OrderPlaced {
        pub id: u64,
    }

    #[derive(Event, ::serde::Serialize, ::serde::Deserialize)]
    #[event(name = "order.placed", retired, key = self.id + 1)]
    pub struct Older {
        pub id: u64,
    }

    impl ::std::convert::From<Older> for OrderPlaced {
        fn from(older: Older) -> Self {
            Self { id: older.id }
        }
    }

    #[consumer(
        name = "email.receipt",
        when = |order| order.id > 0,
        delay = "1s",
        retry(max = 3, backoff = "1s..2s"),
        timeout = "1s",
        start = "2026-01-31T09:00:00Z",
        ordered,
        on_dead = continue,
        audit
    )]
    pub async fn receipt(_: Delivery<OrderPlaced>, _: State<u8>) -> ::std::string::String {
        ::std::string::String::new()
    }

    #[consumer(name = "analytics", batch(max = 3))]
    pub async fn track(_: Batch<OrderPlaced>) {}

    #[consumer(name = "stock.reserve", delivery = tx)]
    pub async fn reserve(_: OrderPlaced, _: &mut Tx<'_, ::sqlx::Postgres>) {}
}

// Attributes of tools, such as `#[diagnostic]`, are not to be had without the prelude.
outbox_runtime::registry! {
    struct Shop;
    state: u8,
    events: [strict::OrderPlaced, strict::Older],
    consumers: [strict::receipt, strict::track, strict::reserve],
}

macro_rules! schema_of_a_number {
    ($($event:ty),+) => {$(
        impl schemars::JsonSchema for $event {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($event).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                generator.subschema_for::<u64>()
            }
        }
    )+};
}

schema_of_a_number!(strict::OrderPlaced, strict::Older);

fn main() {
    use outbox_runtime::{Event, Registry};

    assert_eq!(Shop::registry().consumers.len(), 3);
    assert_eq!(strict::OrderPlaced { id: 7 }.key().as_deref(), Some("7"));
    assert_eq!(strict::Older { id: 7 }.key().as_deref(), Some("8"));
}
