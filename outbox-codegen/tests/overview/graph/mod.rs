//! Graphs: what is in them, how they are laid out, and that the programs which draw them do.

mod browser;
mod drawn;
mod parts;
