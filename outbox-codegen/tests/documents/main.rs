//! Whether the documents are what those who read them take: each is given to a program of theirs.

mod asyncapi;
mod cloudevents;
mod convert;
mod eventbridge;
mod events;
mod log;
mod mutate;
mod odd;
mod tools;
mod typescript;
mod wrong;
