//! The pages: what they say, and that a Markdown parser reads them as they are meant.

mod parsed;
mod says;
mod shapes;
