use outbox_runtime::Event;

#[derive(Event)]
#[event(name = "order.placed")]
struct OrderPlaced<'a> {
    customer: &'a str,
}

#[derive(Event)]
#[event(name = "order.paid")]
struct OrderPaid<T> {
    by: T,
}

fn main() {}
