//! Registries are made of registries: includes, diamonds, handlers and states.

use outbox_runtime::{
    Consumers, DelayInfo, Delivery, Event, FromRef, Includes, KeyInfo, Outbox, Registered,
    Registry, Sqlite, State, Tx, consumer, registry,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod common {
    use super::*;

    /// Somebody signed up.
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(name = "user.signed_up", key = user)]
    pub struct SignedUp {
        pub user: u64,
    }

    #[consumer(name = "audit")]
    pub async fn audit(_: Delivery<SignedUp>) {}

    registry! {
        pub struct Common;
        events: [SignedUp],
        consumers: [audit],
    }
}

/// Names that the expansion would use as well.
mod short {
    use super::*;

    #[derive(Clone)]
    pub struct DB;

    registry! {
        pub struct OfAState;
        state: DB,
        include: [common::Common],
    }

    pub mod inner {
        use super::*;

        registry! {
            pub struct DB;
            include: [common::Common],
        }
    }
}

mod billing {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(name = "invoice.paid", key = format!("{}/{}", self.tenant, self.invoice))]
    pub struct InvoicePaid {
        pub tenant: u64,
        pub invoice: u64,
    }

    #[derive(Clone, Copy)]
    pub struct Ledger;

    pub struct BillingState {
        pub ledger: Ledger,
    }

    impl FromRef<BillingState> for Ledger {
        fn from_ref(state: &BillingState) -> Self {
            state.ledger
        }
    }

    #[consumer(name = "billing.book", delivery = tx)]
    pub async fn book(_: InvoicePaid, _: &mut Tx<'_, Sqlite>, _: State<Ledger>) {}

    registry! {
        /// What billing does.
        pub struct Billing;
        state: BillingState,
        include: [common::Common],
        events: [InvoicePaid],
        consumers: [book],
    }
}

mod shipping {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(name = "parcel.sent", no_upcast, version = 3)]
    pub struct ParcelSent {}

    /// Emits an event that its attribute made.
    #[allow(non_camel_case_types, dead_code)]
    pub struct send_parcel {}

    impl outbox_runtime::EmittingHandler for send_parcel {
        type Event = ParcelSent;
        type Generated = ParcelSent;
        const NAME: &'static str = "send_parcel";
        const GENERATES: bool = true;
        const COMMITS: bool = true;
    }

    /// Emits an event of the user's own.
    #[allow(non_camel_case_types, dead_code)]
    pub struct sign_up {}

    impl outbox_runtime::EmittingHandler for sign_up {
        type Event = common::SignedUp;
        type Generated = ();
        const NAME: &'static str = "sign_up";
        const GENERATES: bool = false;
        const COMMITS: bool = false;
    }

    #[consumer(name = "shipping.track", delay = "30s", when = |_| true)]
    pub async fn track(_: Delivery<ParcelSent>) {}

    registry! {
        pub struct Shipping;
        include: [common::Common],
        handlers: [send_parcel, sign_up],
        consumers: [track],
    }
}

#[derive(Clone)]
struct AppState;

impl FromRef<AppState> for billing::BillingState {
    fn from_ref(_: &AppState) -> Self {
        Self { ledger: billing::Ledger }
    }
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "app.started")]
struct Started {}

registry! {
    struct App;
    state: AppState,
    include: [billing::Billing, shipping::Shipping],
    events: [Started],
}

registry! {
    struct Nested;
    state: AppState,
    include: [App, shipping::Shipping, common::Common],
}

fn emits<R: Registered<E, I>, E, I>(_: E) {}

fn includes<R: Includes<Part>, Part>() {}

#[allow(dead_code)]
fn parts(outbox: &Outbox<App, Sqlite>) -> Outbox<common::Common, Sqlite> {
    outbox.of::<billing::Billing>().of::<common::Common>()
}

fn main() {
    emits::<App, _, _>(Started {});
    emits::<App, _, _>(billing::InvoicePaid { tenant: 1, invoice: 2 });
    emits::<App, _, _>(shipping::ParcelSent {});
    emits::<billing::Billing, _, _>(common::SignedUp { user: 1 });
    emits::<Nested, _, _>(Started {});
    includes::<App, billing::Billing>();

    let consumers = <App as Consumers<Sqlite>>::consumers(&AppState.into());
    let names: Vec<_> = consumers.iter().map(|consumer| consumer.name()).collect();
    assert_eq!(names, ["billing.book", "audit", "shipping.track"]);
    assert_eq!(<Nested as Consumers<Sqlite>>::consumers(&AppState.into()).len(), 3);

    let app = App::registry();
    assert_eq!((app.name, &app.includes[..]), ("App", &["Billing", "Shipping"][..]));
    let events: Vec<_> = app.events.iter().map(|e| (e.name, e.registry)).collect();
    assert_eq!(
        events,
        [
            ("app.started", "App"),
            ("invoice.paid", "Billing"),
            ("user.signed_up", "Common"),
            ("parcel.sent", "Shipping"),
        ]
    );
    assert_eq!(
        app.events[1].key,
        Some(KeyInfo::Expression("format!(\"{}/{}\", self.tenant, self.invoice)"))
    );
    assert!(app.events[3].no_upcast && app.events[3].upcast_from.is_none());
    let signed_up = &app.events[2];
    assert_eq!(signed_up.declared.docs, "Somebody signed up.");
    assert!(signed_up.declared.file.ends_with("registry_include.rs"));
    assert_eq!(signed_up.declared.line, 16);
    assert!(signed_up.declared.module.ends_with("::common"));
    let handlers: Vec<_> = app.handlers.iter().map(|h| (h.name, h.registry)).collect();
    assert_eq!(handlers, [("send_parcel", "Shipping"), ("sign_up", "Shipping")]);
    let track = &app.consumers[2];
    assert!(track.when);
    assert_eq!(track.delay, DelayInfo::Always(std::time::Duration::from_secs(30)));
    assert_eq!((track.event_name, track.event_version), ("parcel.sent", 3));
    assert!(track.rust_path.ends_with("shipping::track"));
    assert_eq!(Nested::registry().events.len(), 4);
    assert_eq!(Nested::registry().consumers.len(), 3);
    assert_eq!(Nested::registry().handlers.len(), 2);
    assert_eq!(short::inner::DB::registry().events.len(), 1);
    assert_eq!(short::OfAState::registry().consumers.len(), 1);
}
