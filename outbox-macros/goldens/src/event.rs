//! One event.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
/// An order was placed.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct OrderPlaced {
    /// Which order.
    pub order_id: u64,
    /// In cents.
    pub total: i64,
}
#[automatically_derived]
impl ::outbox_runtime::private::Event for OrderPlaced {
    const NAME: &'static str = "order.placed";
    const VERSION: u32 = 1u32;
    const RETIRED: bool = false;
    const KEY_PROPERTY: ::outbox_runtime::private::Option<&'static str> = ::outbox_runtime::private::Option::Some(
        "order_id",
    );
    const DETAILS: ::outbox_runtime::private::EventDetails = ::outbox_runtime::private::EventDetails {
        declared: ::outbox_runtime::private::Declaration::new(
            ::core::module_path!(),
            ::core::file!(),
            ::core::line!(),
            "An order was placed.",
        ),
        ident: "OrderPlaced",
        ..::outbox_runtime::private::EventDetails::NONE
    };
    fn key(
        &self,
    ) -> ::outbox_runtime::private::Option<::outbox_runtime::private::Cow<'_, str>> {
        ::outbox_runtime::private::EventKey::to_key(&self.order_id)
    }
}
#[automatically_derived]
impl ::outbox_runtime::private::Emittable for OrderPlaced {}
