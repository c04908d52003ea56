//! What the suites share: events and consumers whose behaviour a test scripts, workers in tasks of
//! their own, waiting for signals, and looking at a database from outside.

mod both;
pub mod cluster;
pub mod db;
pub mod log;
pub mod pgbouncer;
pub mod probe;
pub mod proxy;
pub mod running;
pub mod tap;
pub mod victim;
pub mod wait;

pub use cluster::Cluster;
pub use db::Db;
pub use log::Log;
pub use pgbouncer::PgBouncer;
pub use probe::{Act, Ping, Probe, Seen};
pub use proxy::Proxy;
pub use running::Running;
pub use tap::Tap;
