//! Stopping at a common place, while the number of shards is changing.
//!
//! Every old shard reads up to the barrier and no further. There it starts nothing more; once nothing
//! of it is being handled, it says so in a checkpoint. Whoever finds that all have said so switches to
//! the new shards. A shard that is taken over in between is at the barrier from its first moment, so
//! nothing starts in it; it says so once more.

use super::Shard;
use crate::error::Result;
use crate::operations;
use crate::store::Store;

/// How far a shard is with coming to a stop.
#[derive(Debug)]
pub(super) enum Barrier<P> {
    /// It has to come here.
    Ahead(P),
    /// It came there and said so; other shards are still on their way.
    Met(P),
    /// It found all shards there, and switched.
    Switched,
}

impl<S: Store> Shard<S> {
    pub(super) fn barrier(&self) -> Option<&S::Progress> {
        match &self.barrier {
            Some(Barrier::Ahead(progress) | Barrier::Met(progress)) => Some(progress),
            Some(Barrier::Switched) | None => None,
        }
    }

    pub(super) fn is_at_barrier(&self) -> bool {
        self.barrier().is_some_and(|barrier| *barrier == self.cursor)
    }

    /// Whether nothing of the shard is being handled and it has not said so yet.
    pub(super) fn may_meet(&self) -> bool {
        matches!(self.barrier, Some(Barrier::Ahead(_)))
            && self.is_at_barrier()
            && self.is_quiet()
            && self.dirty_since.is_none()
            && self.frozen.is_none()
    }

    /// Says that the shard is at the barrier, and switches if all are.
    pub(super) async fn meet(&mut self) -> Result<()> {
        self.record_drained().await?;
        let switched = operations::switch_shards(&self.crew.store, self.id.consumer).await?;
        self.barrier = match self.barrier.take() {
            Some(Barrier::Ahead(progress)) if !switched => Some(Barrier::Met(progress)),
            _ => Some(Barrier::Switched),
        };
        if switched {
            self.crew.bell.announce();
        }
        Ok(())
    }

    pub(super) fn has_switched(&self) -> bool {
        matches!(self.barrier, Some(Barrier::Switched))
    }
}
