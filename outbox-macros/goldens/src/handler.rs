//! One handler that emits.
use outbox_runtime::{OutboxTx, Sqlite};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
/// What is asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct PlaceOrder {
    /// What.
    pub sku: String,
    /// What pays for it.
    pub card: String,
}
/// What is answered.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Order {
    /// Which order.
    pub id: u64,
}
/// Takes an order.
pub async fn place_order(
    tx: OutboxTx<Sqlite>,
    order: PlaceOrder,
) -> Result<Order, outbox_runtime::Error> {
    let fail: ::outbox_runtime::private::emits::Fail<
        Result<Order, outbox_runtime::Error>,
    > = ::outbox_runtime::private::emits::fail;
    #[allow(clippy::used_underscore_binding)]
    let input = ::outbox_runtime::private::emits::capture::<
        PlaceOrderEvent,
        _,
    >([
        <PlaceOrderEvent as ::outbox_runtime::private::emits::Generated>::ARGUMENTS
            .0
            .write(&order),
    ]);
    #[allow(clippy::used_underscore_binding)]
    let mut open = match ::outbox_runtime::private::emits::begin::<
        place_order,
        _,
    >(
            &tx,
            input,
            {
                #[allow(unused_imports)]
                use ::outbox_runtime::private::NoEntry as _;
                ::outbox_runtime::private::EntryOf::<PlaceOrderEvent>::ENTRY
            },
        )
        .await
    {
        ::outbox_runtime::private::Result::Ok(open) => open,
        ::outbox_runtime::private::Result::Err(error) => return fail(error),
    };
    let output = match {
        let tx = ::outbox_runtime::private::emits::lend(&mut open);
        #[allow(clippy::used_underscore_binding)]
        let _ = &tx;
        let returned = async move {
            if false {
                return ::outbox_runtime::private::emits::returned_by(fail);
            }
            {
                let _ = (tx, order);
                Ok(Order { id: 7 })
            }
        }
            .await;
        returned
    } {
        ::outbox_runtime::private::Result::Ok(output) => output,
        ::outbox_runtime::private::Result::Err(error) => {
            return ::outbox_runtime::private::Result::Err(error);
        }
    };
    let event = ::outbox_runtime::private::emits::event::<
        PlaceOrderEvent,
        _,
        _,
        _,
    >(
        &mut open,
        [
            <PlaceOrderEvent as ::outbox_runtime::private::emits::Generated>::OUTPUT
                .write(::outbox_runtime::private::emits::output::<Order, _, _>(&output)),
        ],
    );
    match ::outbox_runtime::private::emits::commit(open, event).await {
        ::outbox_runtime::private::Result::Ok(()) => {
            ::outbox_runtime::private::Result::Ok(output)
        }
        ::outbox_runtime::private::Result::Err(error) => fail(error),
    }
}
///Takes an order.
#[allow(
    dead_code,
    missing_copy_implementations,
    missing_debug_implementations,
    private_interfaces,
    unreachable_pub
)]
pub struct PlaceOrderEvent {
    ///What came in.
    pub input: PlaceOrder,
    ///What went out.
    pub output: Order,
}
const _: () = {
    const __INPUT: ::outbox_runtime::private::emits::Field<PlaceOrder> = ::outbox_runtime::private::emits::value::<
        PlaceOrder,
    >("input")
        .skipping({
            fn skips() -> &'static ::outbox_runtime::private::emits::Skips {
                static SKIPS: ::outbox_runtime::private::LazyLock<
                    ::outbox_runtime::private::emits::Skips,
                > = ::outbox_runtime::private::LazyLock::new(|| {
                    ::outbox_runtime::private::emits::Skips::new(
                        ::outbox_runtime::private::Vec::from([
                            ::outbox_runtime::private::emits::skip::<
                                PlaceOrder,
                                _,
                            >(&["card"], |input: &PlaceOrder| &input.card),
                        ]),
                    )
                });
                &SKIPS
            }
            skips
        });
    const __OUTPUT: ::outbox_runtime::private::emits::Field<Order> = ::outbox_runtime::private::emits::value::<
        Order,
    >("output");
    #[automatically_derived]
    impl ::outbox_runtime::private::emits::Record for PlaceOrderEvent {
        const NAME: &'static str = "PlaceOrderEvent";
        const MODULE: &'static str = ::core::module_path!();
        const DOCS: &'static str = "Takes an order.";
        fn write(
            &self,
        ) -> ::outbox_runtime::private::Result<
            ::outbox_runtime::private::Vec<::outbox_runtime::private::emits::Property>,
            ::outbox_runtime::private::String,
        > {
            ::outbox_runtime::private::Result::Ok(
                ::outbox_runtime::private::Vec::from([
                    __INPUT.write(&self.input)?,
                    __OUTPUT.write(&self.output)?,
                ]),
            )
        }
        #[allow(unused_variables)]
        fn read(
            properties: &::outbox_runtime::private::emits::Properties,
        ) -> ::outbox_runtime::private::Result<Self, ::outbox_runtime::private::String> {
            ::outbox_runtime::private::Result::Ok(Self {
                input: __INPUT.read(properties)?,
                output: __OUTPUT.read(properties)?,
            })
        }
        #[allow(unused_variables)]
        fn describe(object: &mut ::outbox_runtime::private::emits::Object<'_>) {
            __INPUT.describe(object);
            __OUTPUT.describe(object);
        }
    }
    #[automatically_derived]
    impl ::outbox_runtime::private::Serialize for PlaceOrderEvent {
        fn serialize<__S: ::outbox_runtime::private::Serializer>(
            &self,
            serializer: __S,
        ) -> ::outbox_runtime::private::Result<__S::Ok, __S::Error> {
            ::outbox_runtime::private::emits::serialize(self, serializer)
        }
    }
    #[automatically_derived]
    impl<'de> ::outbox_runtime::private::Deserialize<'de> for PlaceOrderEvent {
        fn deserialize<__D: ::outbox_runtime::private::Deserializer<'de>>(
            deserializer: __D,
        ) -> ::outbox_runtime::private::Result<Self, __D::Error> {
            ::outbox_runtime::private::emits::deserialize(deserializer)
        }
    }
    #[automatically_derived]
    impl ::outbox_runtime::private::JsonSchema for PlaceOrderEvent {
        fn schema_name() -> ::outbox_runtime::private::Cow<'static, str> {
            ::outbox_runtime::private::emits::schema_name::<Self>()
        }
        fn schema_id() -> ::outbox_runtime::private::Cow<'static, str> {
            ::outbox_runtime::private::emits::schema_id::<Self>()
        }
        fn json_schema(
            generator: &mut ::outbox_runtime::private::SchemaGenerator,
        ) -> ::outbox_runtime::private::Schema {
            ::outbox_runtime::private::emits::json_schema::<Self>(generator)
        }
    }
    #[automatically_derived]
    impl ::outbox_runtime::private::Event for PlaceOrderEvent {
        const NAME: &'static str = "rpc.orders.place";
        const VERSION: u32 = 1u32;
        const DETAILS: ::outbox_runtime::private::EventDetails = ::outbox_runtime::private::EventDetails {
            declared: ::outbox_runtime::private::Declaration::new(
                ::core::module_path!(),
                ::core::file!(),
                ::core::line!(),
                "Takes an order.",
            ),
            ident: "PlaceOrderEvent",
            key: ::outbox_runtime::private::Option::Some("output.id"),
            ..::outbox_runtime::private::EventDetails::NONE
        };
        fn key(
            &self,
        ) -> ::outbox_runtime::private::Option<::outbox_runtime::private::Cow<'_, str>> {
            ::outbox_runtime::private::EventKey::to_key(&self.output.id)
        }
    }
    #[automatically_derived]
    impl ::outbox_runtime::private::Emittable for PlaceOrderEvent {}
    #[automatically_derived]
    impl ::outbox_runtime::private::emits::Generated for PlaceOrderEvent {
        type Arguments = (::outbox_runtime::private::emits::Field<PlaceOrder>,);
        const ARGUMENTS: Self::Arguments = (__INPUT,);
        type Output = ::outbox_runtime::private::emits::Field<Order>;
        const OUTPUT: Self::Output = __OUTPUT;
        fn gather(
            arguments: ::outbox_runtime::private::Vec<
                ::outbox_runtime::private::emits::Property,
            >,
        ) -> ::outbox_runtime::private::Result<
            ::outbox_runtime::private::Option<
                ::outbox_runtime::private::emits::Property,
            >,
            ::outbox_runtime::private::String,
        > {
            ::outbox_runtime::private::emits::one_input(arguments)
        }
    }
};
///The handler `place_order`, for a registry.
#[allow(
    dead_code,
    missing_copy_implementations,
    missing_debug_implementations,
    non_camel_case_types,
    unreachable_pub
)]
pub struct place_order {}
#[automatically_derived]
impl ::outbox_runtime::private::EmittingHandler for place_order {
    type Event = PlaceOrderEvent;
    type Generated = PlaceOrderEvent;
    const NAME: &'static str = "place_order";
    const GENERATES: bool = true;
    const COMMITS: bool = true;
    const DECLARED: ::outbox_runtime::private::Declaration = ::outbox_runtime::private::Declaration::new(
        ::core::module_path!(),
        ::core::file!(),
        ::core::line!(),
        "Takes an order.",
    );
}
