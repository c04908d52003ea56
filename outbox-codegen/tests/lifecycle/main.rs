//! Schemas through the life of an event: generated, checked, released, changed, released again, removed,
//! forgotten; and what becomes of a folder in which somebody has edited.

mod against;
mod folder;
mod history;
mod waivers;
