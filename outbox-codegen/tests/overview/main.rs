//! What people read about a registry: its pages, its pictures, its lints.

mod catalog;
mod graph;
mod large;
mod lints;
mod names;
mod shop;
