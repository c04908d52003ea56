use outbox_runtime::{Batch, Delivery, Tx, consumer, registry};

struct OrderPlaced {
    total: i64,
}

#[consumer(name = "email.receipt", when = |order| order.total > 0)]
async fn receipt(_: Delivery<OrderPlaced>) {}

#[consumer(name = "email.reminder", delay = "1s")]
async fn remind(_: OrderPlaced) {}

#[consumer(name = "analytics", batch(max = 10))]
async fn track(_: Batch<OrderPlaced>) {}

#[consumer(name = "stock.reserve", delivery = tx)]
async fn reserve(_: Delivery<OrderPlaced>, _: &mut Tx<'_, sqlx::Postgres>) {}

// What lists them is not to blame.
registry! {
    struct Shop;
    consumers: [receipt, remind, track, reserve],
}

fn main() {}
