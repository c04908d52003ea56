//! What the programs of the benchmarks have in common.
//!
//! A *contestant* is something that delivers events: this project, a raw loop, or a peer. It
//! implements [`Contestant`], five operations, and is a program of its own whose `main` is
//! [`play`]. The *umpire* starts such a program with a [`Task`], waits until it says `ready`, looks
//! at its watch, says `go`, and waits for `done`. So the watch, the database and the counting of what
//! was written are the same for all, and what runs beside the work is nobody's.
//!
//! The order of a run, from the umpire's side: a new database, `install`, `fill`, vacuum and
//! checkpoint, the task that is measured.

mod clock;
mod contestant;
mod handler;
mod marks;
mod order;
mod play;
mod said;
mod task;

pub use clock::{Monotonic, Pace};
pub use contestant::{Contestant, Unsupported, unsupported};
pub use handler::{Handler, Refused};
pub use marks::Marks;
pub use order::Order;
pub use play::play;
pub use said::Said;
pub use task::{Action, Ends, Kind, Load, Setup, Task};
