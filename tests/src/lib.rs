//! What the suites share: events and consumers whose behaviour a test scripts, and waiting for
//! signals.

pub mod probe;
pub mod wait;

pub use probe::{Act, Ping, Probe, Seen};
