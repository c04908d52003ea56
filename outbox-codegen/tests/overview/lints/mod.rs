//! Lints: each finds its mistake and nothing else, and what was never listed is found in the sources.

mod mistakes;
mod registration;
mod rules;
mod sources;
