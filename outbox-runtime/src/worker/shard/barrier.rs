//! Stopping at a common place, while the number of shards is changing (see `operations/reshard.rs`).
//!
//! A shard is told twice to stop: first where it is, then at the barrier. Once it is there it starts
//! nothing more; and once nothing of it is being handled, it says so in a checkpoint. Whoever finds
//! that all shards have said so takes the next step for all. A shard that is taken over in between
//! is there from its first moment, so nothing starts in it; it says so once more.

use super::Shard;
use crate::error::Result;
use crate::operations;
use crate::store::{Stop, Store};

/// How far a shard is with coming to a stop.
#[derive(Debug)]
pub(super) enum Stopping<P> {
    /// It has to come here.
    Ahead(Stop<P>),
    /// It came there and said so; other shards are still on their way.
    Met(Stop<P>),
    /// It found all shards there, and took the next step.
    Over,
}

impl<S: Store> Shard<S> {
    /// The place in the log that is not to be passed.
    pub(super) fn barrier(&self) -> Option<&S::Progress> {
        match &self.stop {
            Some(Stopping::Ahead(Stop::At(progress)) | Stopping::Met(Stop::At(progress))) => {
                Some(progress)
            }
            _ => None,
        }
    }

    /// Whether the shard is where it is to stop, and starts nothing more.
    pub(crate) fn has_stopped(&self) -> bool {
        match &self.stop {
            Some(Stopping::Ahead(stop) | Stopping::Met(stop)) => match stop {
                Stop::Here => true,
                Stop::At(barrier) => *barrier == self.cursor,
            },
            Some(Stopping::Over) => true,
            None => false,
        }
    }

    /// Whether nothing of the shard is being handled and it has not said so yet.
    pub(super) fn may_meet(&self) -> bool {
        matches!(self.stop, Some(Stopping::Ahead(_)))
            && self.has_stopped()
            && self.is_idle()
            && self.dirty_since.is_none()
            && self.frozen.is_none()
    }

    /// Says that the shard has stopped, and takes the next step if all have.
    pub(super) async fn meet(&mut self) -> Result<()> {
        self.record_drained().await?;
        let meeting = operations::meet(&self.crew.store, self.id.consumer);
        let over = self.crew.seated("stop at a common place", meeting).await?;
        self.stop = match self.stop.take() {
            Some(Stopping::Ahead(stop)) if !over => Some(Stopping::Met(stop)),
            _ => Some(Stopping::Over),
        };
        if over {
            self.crew.bell.announce();
        }
        Ok(())
    }

    /// Whether the shard is to be taken over anew, since what it was told is over.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.stop, Some(Stopping::Over))
    }
}
