//! What the macros make of the files in `input/`: written by the tests of `outbox-macros`, for people to
//! read, and a crate so that they are known to compile. Not formatted like the rest.
//!
//! After a deliberate change: `GOLDENS=overwrite cargo test -p outbox-macros goldens`.

// What is borrowed by the last expression of a handler's body has to be dropped before the block ends.
#![allow(clippy::blocks_in_conditions, clippy::let_and_return)]

#[rustfmt::skip]
pub mod consumer;
#[rustfmt::skip]
pub mod event;
#[rustfmt::skip]
pub mod handler;
#[rustfmt::skip]
pub mod registry;

#[cfg(test)]
mod tests {
    use outbox_runtime::Registry;

    #[test]
    fn what_the_macros_expand_to_works() {
        let shop = crate::registry::Shop::registry();
        let events: Vec<_> = shop.events.iter().map(|event| event.name).collect();
        assert_eq!(events, ["order.placed", "rpc.orders.place"]);
        assert_eq!(shop.consumers[0].options.name, "email.receipt");
        assert_eq!(shop.handlers[0].name, "place_order");
    }
}
