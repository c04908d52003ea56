//! The registry and the state: what the service emits and consumes, and what its handlers share.

use std::pin::Pin;
use std::sync::Arc;

use outbox_runtime::{FromRef, HasOutbox, Outbox, registry};
use uuid::Uuid;

use crate::consumers::{charge, expire, receipt, refund, report, reserve};
use crate::database::Db;
use crate::error::ApiError;
use crate::events::{OrderCancelled, OrderPaid, OrderShipped, StockShort};
use crate::orders::{PlaceOrder, cancel_order, place_order, ship};

registry! {
    /// Everything that the shop emits and consumes.
    pub struct Shop;
    state: AppState,
    events: [OrderPaid, OrderCancelled, OrderShipped, StockShort],
    handlers: [place_order, cancel_order, ship],
    consumers: [charge, reserve, receipt, report, expire, refund],
}

/// What handlers and consumers share. The handlers of requests get it from axum, the consumers from the
/// worker.
#[derive(Clone)]
pub struct AppState {
    /// The outbox.
    pub outbox: Outbox<Shop, Db>,
    /// Who may buy what.
    pub policy: Arc<dyn Policy>,
    /// Who charges cards.
    pub payments: Arc<dyn Payments>,
    /// Who writes to customers.
    pub mailer: Arc<dyn Mailer>,
}

/// Where `OutboxTx<Db>` in a handler's arguments comes from.
impl HasOutbox<Db> for AppState {
    type Registry = Shop;

    fn outbox(&self) -> &Outbox<Shop, Db> {
        &self.outbox
    }
}

/// A future of a trait object.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Looks at an order before it is taken: quickly, since the transaction is open.
pub trait Policy: Send + Sync {
    /// Refuses an order, or does not.
    fn check<'a>(&'a self, order: &'a PlaceOrder) -> Pending<'a, Result<(), ApiError>>;
}

/// The provider of payments. It sees the same `reference` again when it is asked again, and then does
/// nothing.
pub trait Payments: Send + Sync {
    /// Charges a card.
    fn charge<'a>(
        &'a self,
        reference: &'a str,
        card: &'a str,
        cents: i64,
    ) -> Pending<'a, anyhow::Result<()>>;

    /// Pays back.
    fn refund<'a>(&'a self, reference: &'a str, cents: i64) -> Pending<'a, anyhow::Result<()>>;
}

/// Mail.
pub trait Mailer: Send + Sync {
    /// Sends a receipt.
    fn receipt<'a>(&'a self, order: Uuid, cents: i64) -> Pending<'a, anyhow::Result<()>>;
}

/// Consumers take the part of the state that they need, as `State<Arc<dyn Mailer>>`.
macro_rules! part {
    ($field:ident: $type:ty) => {
        impl FromRef<AppState> for $type {
            fn from_ref(state: &AppState) -> Self {
                state.$field.clone()
            }
        }
    };
}

part!(outbox: Outbox<Shop, Db>);
part!(payments: Arc<dyn Payments>);
part!(mailer: Arc<dyn Mailer>);
