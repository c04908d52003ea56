//! `EventKey` is derived for structs around one key.

use std::marker::PhantomData;

use outbox_runtime::EventKey;

mod toolkit {
    pub use outbox_runtime as outbox;
}

#[derive(Clone, EventKey)]
struct OrderId(u64);

#[derive(EventKey)]
struct Named {
    r#type: String,
}

#[derive(EventKey)]
struct Tagged<T: Clone, const N: usize>(T)
where
    T: Send;

#[derive(EventKey)]
struct Id<T> {
    value: OrderId,
    of: PhantomData<fn() -> T>,
}

#[derive(EventKey)]
struct Borrowed<'a>(&'a str);

#[derive(toolkit::outbox::EventKey)]
#[event_key(crate = toolkit::outbox)]
struct Elsewhere(Option<u8>);

struct NoKey;

fn main() {
    assert_eq!(OrderId(7).to_key().as_deref(), Some("7"));
    assert_eq!(Named { r#type: "a".to_owned() }.to_key().as_deref(), Some("a"));
    assert_eq!(Tagged::<_, 3>(OrderId(8)).to_key().as_deref(), Some("8"));
    let id = Id::<NoKey> { value: OrderId(9), of: PhantomData };
    let _ = id.of;
    assert_eq!(id.to_key().as_deref(), Some("9"));
    assert_eq!(Borrowed("b").to_key().as_deref(), Some("b"));
    assert_eq!(Elsewhere(None).to_key(), None);
}
