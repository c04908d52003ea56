//! Migration files: generated from registries, applied by sqlx's own migrator to real databases, next
//! to an application's, and looked at from outside.

mod appended;
mod consumers;
mod folder;
mod indexes;
mod refused;
mod shop;
mod tables;
mod upgrade;
mod views;

pub(crate) use outbox_tests::both;
