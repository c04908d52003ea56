//! The outbox of an included registry.

use std::marker::PhantomData;
use std::sync::Arc;

use super::Outbox;
use crate::registry::{Includes, Registry};
use crate::store::Backend;

impl<R: Registry, DB: Backend> Outbox<R, DB> {
    /// The same outbox for a registry that this one includes directly: it emits what `Part` lists,
    /// and nothing else.
    ///
    /// Hands a module its own part; and emits an event that comes through several includes, of
    /// which the compiler does not choose one:
    ///
    /// ```
    /// # use outbox_runtime::{Backend, Event, Outbox, Result, registry};
    /// # use schemars::JsonSchema;
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Event, Serialize, Deserialize, JsonSchema)]
    /// # #[event(name = "user.signed_up")]
    /// # struct SignedUp {}
    /// registry! {
    ///     struct Common;
    ///     events: [SignedUp],
    /// }
    ///
    /// registry! {
    ///     struct Billing;
    ///     include: [Common],
    /// }
    ///
    /// registry! {
    ///     struct Shop;
    ///     include: [Billing, Common],
    /// }
    ///
    /// async fn sign_up<DB: Backend>(outbox: &Outbox<Shop, DB>) -> Result<()> {
    ///     let mut tx = outbox.begin().await?;
    ///     outbox.of::<Common>().emit(&mut tx, SignedUp {}).await?;
    ///     tx.commit().await
    /// }
    /// ```
    #[must_use]
    pub fn of<Part: Registry>(&self) -> Outbox<Part, DB>
    where
        R: Includes<Part>,
    {
        Outbox { emitter: Arc::clone(&self.emitter), registry: PhantomData }
    }
}
