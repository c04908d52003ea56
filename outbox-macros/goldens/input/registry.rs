//! One registry.

use outbox_runtime::registry;

use crate::consumer::{Mailer, receipt};
use crate::event::OrderPlaced;
use crate::handler::place_order;

registry! {
    /// Everything that the shop emits and consumes.
    pub struct Shop;
    state: Mailer,
    events: [OrderPlaced],
    handlers: [place_order],
    consumers: [receipt],
}
