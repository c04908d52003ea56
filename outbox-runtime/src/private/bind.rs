//! Consumers that are bound to a state, with their event named by itself: so a type that is no event
//! is shown where the user names it.

use super::Arc;
use crate::consumer::{Bound, HandleBatch, HandleEach, HandleTx};
use crate::event::Event;
use crate::store::Backend;

/// [`Bound::each`].
pub fn each<E: Event, C, S, DB: Backend>(state: &Arc<S>) -> Bound<DB>
where
    C: HandleEach<S, Event = E>,
    S: Send + Sync + 'static,
{
    Bound::each::<C, S>(state)
}

/// [`Bound::batch`].
pub fn batch<E: Event, C, S, DB: Backend>(state: &Arc<S>) -> Bound<DB>
where
    C: HandleBatch<S, Event = E>,
    S: Send + Sync + 'static,
{
    Bound::batch::<C, S>(state)
}

/// [`Bound::tx`].
pub fn tx<E: Event, C, S, DB: Backend>(state: &Arc<S>) -> Bound<DB>
where
    C: HandleTx<S, DB, Event = E>,
    S: Send + Sync + 'static,
{
    Bound::tx::<C, S>(state)
}
