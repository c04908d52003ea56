//! Every behaviour, on both databases: a test is a function that is generic over the database,
//! and `both!` makes two tests of it.

mod after_crash;
mod arguments;
mod batch;
mod budget;
mod causation;
mod changed;
mod connections;
mod consumers;
mod dead_letters;
mod dedup;
mod emit;
mod emits;
mod fleet;
mod held_open;
mod idle;
mod in_doubt;
mod neighbours;
mod operations;
mod ordered;
mod outages;
mod outcomes;
mod pooler;
mod reading;
mod refused;
mod report;
mod restored;
mod retention;
mod robust;
mod setup;
mod signals;
mod silence;
mod spans;
mod sql_function;
mod stack;
mod tx;
mod versions;
mod worker;

pub(crate) use outbox_tests::both;
