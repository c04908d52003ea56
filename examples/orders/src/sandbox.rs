//! Stand-ins for the outside world: they do as they should, and say what they did.

use std::sync::Arc;

use outbox_runtime::Outbox;
use uuid::Uuid;

use crate::database::Db;
use crate::error::ApiError;
use crate::orders::PlaceOrder;
use crate::shop::{AppState, Mailer, Payments, Pending, Policy, Shop};

/// The state of a shop in which nothing outside goes wrong.
#[must_use]
pub fn state(outbox: Outbox<Shop, Db>) -> AppState {
    AppState {
        outbox,
        policy: Arc::new(Sandbox),
        payments: Arc::new(Sandbox),
        mailer: Arc::new(Sandbox),
    }
}

/// Everything outside.
#[derive(Clone, Copy, Debug)]
pub struct Sandbox;

impl Policy for Sandbox {
    fn check<'a>(&'a self, order: &'a PlaceOrder) -> Pending<'a, Result<(), ApiError>> {
        Box::pin(async move {
            match order.quantity {
                ..=100 => Ok(()),
                _ => Err(ApiError::conflict("nobody needs so much")),
            }
        })
    }
}

impl Payments for Sandbox {
    fn charge<'a>(
        &'a self,
        reference: &'a str,
        _card: &'a str,
        cents: i64,
    ) -> Pending<'a, anyhow::Result<()>> {
        Box::pin(async move {
            tracing::info!(reference, cents, "charged");
            Ok(())
        })
    }

    fn refund<'a>(&'a self, reference: &'a str, cents: i64) -> Pending<'a, anyhow::Result<()>> {
        Box::pin(async move {
            tracing::info!(reference, cents, "paid back");
            Ok(())
        })
    }
}

impl Mailer for Sandbox {
    fn receipt<'a>(&'a self, order: Uuid, cents: i64) -> Pending<'a, anyhow::Result<()>> {
        Box::pin(async move {
            tracing::info!(%order, cents, "receipt sent");
            Ok(())
        })
    }
}
