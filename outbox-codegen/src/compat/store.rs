//! Schemas that are in no document.

use std::cell::OnceCell;

use serde_json::Value;

/// A place for a schema, and for those after it. What is kept stays where it is for as long as the first
/// place is there, so that it can be referred to like the schemas of documents.
#[derive(Debug, Default)]
pub(crate) struct Store(OnceCell<Box<(Value, Store)>>);

impl Store {
    /// Keeps a schema here, or in the first place after this one that is free; the schema, and the place
    /// for the next one.
    pub(super) fn keep(&self, schema: Value) -> (&Value, &Self) {
        let mut free = self;
        while let Some(taken) = free.0.get() {
            free = &taken.1;
        }
        let (schema, next) = &**free.0.get_or_init(|| Box::new((schema, Self::default())));
        (schema, next)
    }
}

impl Drop for Store {
    /// One after the other: inside of one another, many of them would need a deep stack.
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(mut one) = next {
            next = one.1.0.take();
        }
    }
}
