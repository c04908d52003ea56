//! Invoices: events, consumers and a registry that other crates include.

use outbox_runtime::{Delivery, Event, EventKey, FromRef, Sqlite, State, Tx, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The number of an invoice.
#[derive(Clone, Debug, EventKey, Serialize, Deserialize, JsonSchema)]
pub struct InvoiceId(pub u64);

/// An invoice was paid.
#[derive(Debug, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "invoice.paid", key = invoice)]
pub struct InvoicePaid {
    /// Which.
    pub invoice: InvoiceId,
    /// How much, in cents.
    pub cents: i64,
}

/// The name of the table that payments are booked into.
#[derive(Clone, Copy, Debug)]
pub struct Ledger(pub &'static str);

/// What billing needs of the application.
#[derive(Clone, Copy, Debug)]
pub struct BillingState {
    /// Where payments are booked.
    pub ledger: Ledger,
}

impl FromRef<BillingState> for Ledger {
    fn from_ref(state: &BillingState) -> Self {
        state.ledger
    }
}

/// Books the payment: exactly once.
///
/// # Errors
///
/// What the database says.
#[consumer(name = "billing.book", delivery = tx, start = beginning)]
pub async fn book(
    paid: Delivery<InvoicePaid>,
    tx: &mut Tx<'_, Sqlite>,
    State(ledger): State<Ledger>,
) -> Result<String, sqlx::Error> {
    sqlx::query("insert into payments (ledger, cents) values (?, ?)")
        .bind(ledger.0)
        .bind(paid.cents)
        .execute(&mut **tx)
        .await?;
    Ok(format!("booked in {}", ledger.0))
}

registry! {
    /// What billing emits and consumes.
    pub struct Billing;
    state: BillingState,
    events: [InvoicePaid],
    consumers: [book],
}
