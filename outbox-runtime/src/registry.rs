//! The registry: what an application emits and consumes, as types and as a value.

mod info;

use std::marker::PhantomData;
use std::sync::Arc;

use crate::consumer::Bound;
use crate::private::Listing;
use crate::store::Backend;

pub use info::{ConsumerInfo, EventInfo, RegistryInfo};

/// An application's events, emitting handlers and consumers. Declared with
/// [`registry!`](crate::registry!).
pub trait Registry: Send + Sync + 'static {
    /// What handlers take their `State<T>` from.
    type State: Send + Sync + 'static;

    /// What is listed, for checks while the registry compiles.
    #[doc(hidden)]
    const LISTING: &'static Listing = &Listing::EMPTY;

    /// Everything in the registry, as a value: needs neither database nor state.
    fn registry() -> RegistryInfo;
}

/// Membership of an event in a registry; the index is inferred.
#[diagnostic::on_unimplemented(
    message = "`{E}` is not in registry `{Self}`",
    label = "not an event of `{Self}`",
    note = "add it to `events` of the registry"
)]
pub trait Registered<E, Index> {}

/// The index of events that a registry lists itself.
#[derive(Debug)]
pub enum Own {}

/// What is [`Registered`], asked of the event: the compiler then waits until it knows the event, where
/// it would otherwise take the only event of a registry for meant.
pub trait ListedIn<R, Index> {}

impl<E, R: Registered<E, Index>, Index> ListedIn<R, Index> for E {}

/// The index of the event that `#[emits]` made for the handler `H`.
#[derive(Debug)]
pub struct By<H>(PhantomData<fn() -> H>);

/// The index of events that a registry has through its include `R`, in which their index is
/// `Index`.
#[derive(Debug)]
pub struct Via<R, Index>(PhantomData<fn() -> (R, Index)>);

/// That a registry includes the registry `R` directly. Declared with `include` in
/// [`registry!`](crate::registry!).
#[diagnostic::on_unimplemented(
    message = "registry `{Self}` does not include `{R}`",
    label = "not an include of `{Self}`",
    note = "add it to `include` of the registry, or go through the registry that includes it"
)]
pub trait Includes<R> {}

/// The consumers of a registry on the database `DB`.
#[diagnostic::on_unimplemented(
    message = "not every consumer of registry `{Self}` runs on the database `{DB}`",
    note = "a consumer with `tx: &mut Tx<'_, Postgres>` runs on Postgres only"
)]
pub trait Consumers<DB: Backend>: Registry {
    /// The consumers bound to the application's state, those of included registries among them.
    fn consumers(state: &Arc<Self::State>) -> Vec<Bound<DB>>;
}
