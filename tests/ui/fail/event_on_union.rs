use outbox_runtime::Event;

#[derive(Event)]
#[event(name = "order.placed")]
union OrderPlaced {
    id: u64,
}

fn main() {}
