//! Handlers that emit: their transaction, and what `#[emits]` calls. The attribute names types and
//! fields; everything that happens at run time is in here.

#[cfg(feature = "axum")]
mod axum;
mod field;
mod open;
mod outbox_tx;
mod output;
mod record;
mod skip;
mod with;

pub use outbox_tx::{HasOutbox, OutboxTx};
pub use output::AsOutput;

/// What the attribute names.
pub mod private {
    pub use super::field::{Field, Object, slice, text, value};
    pub use super::open::{
        Arguments, Fail, Generated, Open, Prepare, begin, borrow, capture, commit, event, fail,
        keep, lend, no_input, one_input, own_event, panic, prepare, reborrow, returned_by, take,
        unknown_tx,
    };
    pub use super::output::output;
    pub use super::record::{
        Properties, Property, Record, Written, deserialize, json_schema, schema_id, schema_name,
        serialize,
    };
    pub use super::skip::{Skips, skip};
    pub use super::with::{
        with_0, with_1, with_2, with_3, with_4, with_5, with_6, with_7, with_8, with_9,
    };
}
