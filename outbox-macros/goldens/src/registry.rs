//! One registry.
use crate::consumer::{Mailer, receipt};
use crate::event::OrderPlaced;
use crate::handler::place_order;
/// Everything that the shop emits and consumes.
#[::core::prelude::v1::derive(
    ::core::clone::Clone,
    ::core::marker::Copy,
    ::core::fmt::Debug,
    ::core::default::Default,
    ::core::cmp::PartialEq,
    ::core::cmp::Eq,
    ::core::hash::Hash
)]
pub struct Shop;
const _: () = {
    #[allow(unused_imports)]
    use ::outbox_runtime::private::NoEntry as _;
    #[allow(unused_parens)]
    const LISTING: &::outbox_runtime::private::Listing = &::outbox_runtime::private::Listing {
        name: "Shop",
        declared: ::outbox_runtime::private::Declaration::new(
            ::core::module_path!(),
            ::core::file!(),
            ::core::line!(),
            "Everything that the shop emits and consumes.",
        ),
        events: &[<OrderPlaced as ::outbox_runtime::private::ListedEvent>::ENTRY],
        handlers: &[
            <place_order as ::outbox_runtime::private::ListedHandler>::ENTRY
                .with(::outbox_runtime::private::EntryOf::<(place_order)>::EMITTED),
        ],
        consumers: &[
            <receipt as ::outbox_runtime::private::ListedConsumer>::ENTRY
                .with(::outbox_runtime::private::EntryOf::<(receipt)>::CONSUMED),
        ],
        includes: &[],
        complete: true,
    };
    #[automatically_derived]
    impl ::outbox_runtime::private::Registry for Shop {
        type State = Mailer;
        const LISTING: &'static ::outbox_runtime::private::Listing = LISTING;
        fn registry() -> ::outbox_runtime::private::RegistryInfo {
            ::outbox_runtime::private::registry_info(LISTING)
        }
    }
    #[automatically_derived]
    impl ::outbox_runtime::private::Registered<
        OrderPlaced,
        ::outbox_runtime::private::Own,
    > for Shop {}
    #[diagnostic::do_not_recommend]
    #[automatically_derived]
    impl<
        __Event,
    > ::outbox_runtime::private::Registered<
        __Event,
        ::outbox_runtime::private::By<place_order>,
    > for Shop
    where
        place_order: ::outbox_runtime::private::Lists<__Event>,
    {}
    #[diagnostic::do_not_recommend]
    #[automatically_derived]
    impl<__Event, __Index> ::outbox_runtime::private::PassesOn<__Event, __Index> for Shop
    where
        Self: ::outbox_runtime::private::Registered<__Event, __Index>,
    {}
    #[automatically_derived]
    impl<DB: ::outbox_runtime::private::Backend> ::outbox_runtime::private::Consumers<DB>
    for Shop
    where
        receipt: ::outbox_runtime::private::Bind<Mailer, DB>,
    {
        #[allow(unused_variables)]
        fn consumers(
            state: &::outbox_runtime::private::Arc<Mailer>,
        ) -> ::outbox_runtime::private::Vec<::outbox_runtime::private::Bound<DB>> {
            ::outbox_runtime::private::vec_of([
                <receipt as ::outbox_runtime::private::Bind<Mailer, DB>>::bind(state),
            ])
        }
    }
    #[automatically_derived]
    impl<
        __State,
        DB: ::outbox_runtime::private::Backend,
    > ::outbox_runtime::private::RunWith<__State, DB> for Shop
    where
        Mailer: ::outbox_runtime::private::PartFor<Shop, __State>,
        Self: ::outbox_runtime::private::Consumers<DB>,
    {
        #[allow(unused_variables)]
        fn run_with(
            state: &__State,
        ) -> ::outbox_runtime::private::Vec<::outbox_runtime::private::Bound<DB>> {
            <Self as ::outbox_runtime::private::Consumers<
                DB,
            >>::consumers(
                &<Mailer as ::outbox_runtime::private::PartFor<
                    Shop,
                    __State,
                >>::part(state),
            )
        }
    }
    const _: () = ::outbox_runtime::private::check_event(LISTING, 0usize);
    const _: () = ::outbox_runtime::private::check_handler(LISTING, 0usize);
    const _: () = ::outbox_runtime::private::check_consumer(LISTING, 0usize);
};
