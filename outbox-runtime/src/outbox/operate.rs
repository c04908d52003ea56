//! Operations: what people do to consumers in the night, as calls.

use std::time::Duration;

use super::Outbox;
use crate::error::Result;
use crate::operations::{self, Replay, Skip};
use crate::store::fleet::rates;
use crate::store::{
    Backend, DeliveryFilter, DeliveryState, Place, Rate, ShardInfo, Store, WorkerInfo,
};

/// How many deliveries one transaction of a redrive or a discard changes.
const STEP: u32 = 1_000;

impl<R, DB: Backend> Outbox<R, DB> {
    /// Stops a consumer on all workers: what runs may finish, nothing more is started. Its events
    /// stay in the log until it goes on. Does nothing if it is paused already.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for a consumer that no worker ever had.
    pub async fn pause(&self, consumer: &str) -> Result<()> {
        operations::set_paused(&self.emitter.store, consumer, true).await?;
        self.announce()
    }

    /// Lets a paused consumer go on where it stopped.
    ///
    /// # Errors
    ///
    /// As [`pause`](Self::pause).
    pub async fn resume(&self, consumer: &str) -> Result<()> {
        operations::set_paused(&self.emitter.store, consumer, false).await?;
        self.announce()
    }

    /// Stops one key of a consumer: its events are parked, in their order, and retries of it are not
    /// run. Other keys go on.
    ///
    /// # Errors
    ///
    /// As [`pause`](Self::pause).
    pub async fn pause_key(&self, consumer: &str, key: &str) -> Result<()> {
        operations::set_key_paused(&self.emitter.store, consumer, key, true).await?;
        self.announce()
    }

    /// Lets a paused key go on with what was parked.
    ///
    /// # Errors
    ///
    /// As [`pause`](Self::pause).
    pub async fn resume_key(&self, consumer: &str, key: &str) -> Result<()> {
        operations::set_key_paused(&self.emitter.store, consumer, key, false).await?;
        self.announce()
    }

    /// Delivers events to a consumer again; returns how many. A [dry run](Replay::dry_run) only
    /// counts them.
    ///
    /// A replay of everything from some place on moves the consumer back: events come in their order
    /// again, and whatever had a delivery row (a retry, a dead letter) begins anew with them. A replay
    /// of some events gives each a row and leaves the consumer where it is; an event that has a row
    /// keeps it. Events that the consumer has not come to yet are not touched either way. What
    /// retention has deleted cannot come again.
    ///
    /// With `delivery = tx` the handler's effects are made again: undo them first, if need be, with
    /// the consumer paused.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such consumer, or the
    /// event to begin with is not in the log;
    /// [`ErrorKind::InvalidOptions`](crate::ErrorKind::InvalidOptions) for a rate that is not above 0;
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when the number of shards changed in the
    /// middle of a replay of some events.
    pub async fn replay(&self, consumer: &str, replay: &Replay) -> Result<u64> {
        let count = operations::replay(&self.emitter.store, consumer, replay).await?;
        self.announce()?;
        Ok(count)
    }

    /// Moves a consumer past events that it is not to handle; returns how many. They stay in the log,
    /// for other consumers and for a [replay](Self::replay). Deliveries that have rows stay, unless
    /// the one event is meant that has the row.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such consumer, or the
    /// event is unknown or was handled already.
    pub async fn skip(&self, consumer: &str, skip: &Skip) -> Result<u64> {
        let count = operations::skip(&self.emitter.store, consumer, skip).await?;
        self.announce()?;
        Ok(count)
    }

    /// Changes the number of shards of a consumer while it runs: all shards stop, go on to a common
    /// place in the log, and the new ones begin there. Returns once that has begun; the workers see
    /// to the rest, whichever of them dies meanwhile. ([`shards`](Self::shards) tells how far it is.)
    /// Order by key holds throughout, and nothing comes twice unless a worker dies. A call in the
    /// middle of another changes its number.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidOptions`](crate::ErrorKind::InvalidOptions) unless there are 1 to 1,024;
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for a consumer that no worker ever had.
    pub async fn reshard(&self, consumer: &str, shards: u32) -> Result<()> {
        operations::reshard(&self.emitter.store, consumer, shards).await?;
        self.announce()
    }

    /// Removes a consumer whose code is gone, with its deliveries (dead letters too), so that it holds
    /// back nothing any more; returns how many deliveries there were. Should the code come back, the
    /// consumer begins anew, wherever its `start` says.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InUse`](crate::ErrorKind::InUse) while a worker runs it;
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such consumer.
    pub async fn retire(&self, consumer: &str) -> Result<u64> {
        let count = operations::retire(&self.emitter.store, consumer).await?;
        self.announce()?;
        Ok(count)
    }

    /// Gives the dead letters that match another chance: they are due at once, with their
    /// attempts counted anew and their errors kept. Returns how many. In steps of a thousand, each a
    /// transaction of its own: what fails half-way can be repeated.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn redrive(&self, filter: &DeliveryFilter) -> Result<u64> {
        let mut steps = Steps::new(filter);
        while let Some(limit) = steps.next() {
            steps.took(self.emitter.store.redrive(filter, steps.after.as_ref(), limit).await?);
            self.emitter.bell.ring_all();
        }
        Ok(steps.sum)
    }

    /// Deletes the dead letters that match; the keys that they held go on. Returns how many. In steps
    /// of a thousand, as [`redrive`](Self::redrive).
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn discard(&self, filter: &DeliveryFilter) -> Result<u64> {
        let mut steps = Steps::new(filter);
        while let Some(limit) = steps.next() {
            steps.took(self.emitter.store.discard(filter, steps.after.as_ref(), limit).await?);
            self.emitter.bell.ring_all();
        }
        Ok(steps.sum)
    }

    /// The workers that the database knows: those that live, and for an hour those that died.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn workers(&self) -> Result<Vec<WorkerInfo>> {
        self.emitter.store.workers().await
    }

    /// The shards of a consumer, or of all: who has the lease, and the newest checkpoint.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn shards(&self, consumer: Option<&str>) -> Result<Vec<ShardInfo>> {
        self.emitter.store.shards(consumer).await
    }

    /// What a consumer did in each `step` of the time since `back`, from the ledger of its
    /// checkpoints, which keeps a thousand a shard and one a minute of the last day. Steps without a
    /// checkpoint are left out.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn rates(&self, consumer: &str, back: Duration, step: Duration) -> Result<Vec<Rate>> {
        let step = step.max(Duration::from_millis(1));
        Ok(rates(&self.emitter.store.history(consumer, back, step).await?, step))
    }

    /// Wakes the workers of this process and, where there are signals, of others.
    fn announce(&self) -> Result<()> {
        self.emitter.bell.announce();
        self.emitter.bell.ring_all();
        Ok(())
    }
}

/// Going through the dead letters of a filter, once, some at a time. One that dies again meanwhile is
/// not met a second time.
struct Steps {
    /// How many more may be changed.
    left: Option<u32>,
    after: Option<Place>,
    sum: u64,
    done: bool,
}

impl Steps {
    fn new(filter: &DeliveryFilter) -> Self {
        // Of another state there are no dead letters.
        let done = filter.state.is_some_and(|state| state != DeliveryState::Dead);
        Self { left: filter.limit, after: None, sum: 0, done }
    }

    /// How many the next step changes at most.
    fn next(&self) -> Option<u32> {
        let limit = self.left.unwrap_or(STEP).min(STEP);
        (!self.done && limit > 0).then_some(limit)
    }

    fn took(&mut self, places: Vec<Place>) {
        let count = places.len() as u32;
        self.sum += u64::from(count);
        self.done = places.len() < self.next().unwrap_or(0) as usize;
        self.left = self.left.map(|left| left - count.min(left));
        self.after = places.into_iter().last();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(positions: std::ops::Range<i64>) -> Vec<Place> {
        positions.map(|position| Place { consumer: "c".to_owned(), position }).collect()
    }

    #[test]
    fn steps_go_on_until_one_is_not_full() {
        let mut steps = Steps::new(&DeliveryFilter::all());
        assert_eq!(steps.next(), Some(STEP));
        steps.took(places(0..1_000));
        assert_eq!(steps.after.as_ref().map(|place| place.position), Some(999));
        assert_eq!(steps.next(), Some(STEP));
        steps.took(places(2_000..2_007));
        assert_eq!((steps.next(), steps.sum), (None, 1_007));
    }

    #[test]
    fn a_limit_is_for_all_steps_together() {
        let mut steps = Steps::new(&DeliveryFilter::all().limit(1_500));
        steps.took(places(0..1_000));
        assert_eq!(steps.next(), Some(500));
        steps.took(places(1_000..1_500));
        assert_eq!((steps.next(), steps.sum), (None, 1_500));
    }

    #[test]
    fn only_dead_letters_are_changed() {
        let filter = DeliveryFilter::all().state(DeliveryState::Retrying);
        assert_eq!(Steps::new(&filter).next(), None);
    }
}
