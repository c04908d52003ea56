//! One consumer.
use outbox_runtime::{Delivery, State};
use crate::event::OrderPlaced;
/// Sends mail.
#[derive(Clone, Debug)]
pub struct Mailer;
/// Sends a receipt.
pub async fn receipt(
    order: Delivery<OrderPlaced>,
    State(mailer): State<Mailer>,
) -> Result<(), std::io::Error> {
    let _ = (order, mailer);
    Ok(())
}
///The consumer `email.receipt`: runs the function of the same name.
#[allow(
    dead_code,
    missing_copy_implementations,
    missing_debug_implementations,
    non_camel_case_types,
    unreachable_pub
)]
pub struct receipt {}
#[automatically_derived]
impl ::outbox_runtime::private::ConsumerDef for receipt {
    type Event = OrderPlaced;
    const OPTIONS: ::outbox_runtime::private::ConsumerOptions = ::outbox_runtime::private::ConsumerOptions::new(
            "email.receipt",
        )
        .retry(
            ::outbox_runtime::private::RetryPolicy::exponential(
                5u32,
                ::outbox_runtime::private::Duration::from_millis(1000u64),
                ::outbox_runtime::private::Duration::from_millis(60000u64),
            ),
        )
        .timeout(::outbox_runtime::private::Duration::from_millis(20000u64));
    const DECIDES_ON_READING: bool = true;
    const DETAILS: ::outbox_runtime::private::ConsumerDetails = ::outbox_runtime::private::ConsumerDetails {
        declared: ::outbox_runtime::private::Declaration::new(
            ::core::module_path!(),
            ::core::file!(),
            ::core::line!(),
            "Sends a receipt.",
        ),
        when: true,
        delay: ::outbox_runtime::private::DelayInfo::None,
    };
    fn when(event: &Self::Event) -> bool {
        ::outbox_runtime::private::when::<OrderPlaced>(event, |order| order.total > 0)
    }
}
#[automatically_derived]
impl<__State> ::outbox_runtime::private::HandleEach<__State> for receipt
where
    Mailer: ::outbox_runtime::private::FromRef<__State>,
{
    #[allow(deprecated, unused_variables)]
    fn handle(
        delivery: ::outbox_runtime::private::Delivery<Self::Event>,
        state: &__State,
        context: ::outbox_runtime::private::Context,
    ) -> impl ::outbox_runtime::private::Future<
        Output = ::outbox_runtime::private::Result<
            ::outbox_runtime::private::Outcome,
            ::outbox_runtime::private::ConsumerError,
        >,
    > + ::outbox_runtime::private::Send {
        let state_0 = ::outbox_runtime::private::State(
            <Mailer as ::outbox_runtime::private::FromRef<__State>>::from_ref(state),
        );
        async move {
            let returned = receipt(delivery, state_0).await;
            ::outbox_runtime::private::IntoOutcome::into_outcome(returned)
        }
    }
}
#[automatically_derived]
impl<
    __State: ::outbox_runtime::private::Send + ::outbox_runtime::private::Sync + 'static,
    __Database: ::outbox_runtime::private::Backend,
> ::outbox_runtime::private::Consumer<__State, __Database> for receipt
where
    Mailer: ::outbox_runtime::private::FromRef<__State>,
{
    fn bind(
        state: &::outbox_runtime::private::Arc<__State>,
    ) -> ::outbox_runtime::private::Bound<__Database> {
        ::outbox_runtime::private::bind::each::<
            OrderPlaced,
            Self,
            __State,
            __Database,
        >(state)
    }
}
