//! One consumer.

use outbox_runtime::{Delivery, State, consumer};

use crate::event::OrderPlaced;

/// Sends mail.
#[derive(Clone, Debug)]
pub struct Mailer;

/// Sends a receipt.
#[consumer(
    name = "email.receipt",
    retry(max = 5, backoff = "1s..1m"),
    timeout = "20s",
    when = |order| order.total > 0
)]
pub async fn receipt(
    order: Delivery<OrderPlaced>,
    State(mailer): State<Mailer>,
) -> Result<(), std::io::Error> {
    let _ = (order, mailer);
    Ok(())
}
