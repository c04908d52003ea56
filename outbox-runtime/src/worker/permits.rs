//! How many handlers run at the same time, of all shards of a worker together.

use std::future::poll_fn;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::PollSemaphore;

/// Lets one handler run for as long as it is held. `None` where there is no limit.
pub(super) type Permit = Option<OwnedSemaphorePermit>;

/// A shard's place in the queue for permits.
#[derive(Debug)]
pub(super) struct Permits {
    /// Keeps the place in the queue while the shard does other things.
    queue: Option<PollSemaphore>,
    spare: Permit,
    wanted: bool,
}

impl Permits {
    pub(super) fn new(permits: Option<Arc<Semaphore>>) -> Self {
        Self { queue: permits.map(PollSemaphore::new), spare: None, wanted: false }
    }

    /// The shard looks what it can start.
    pub(super) fn begin(&mut self) {
        self.wanted = false;
    }

    /// It has looked: unless it wants a permit it gives up its place, and whatever it has.
    pub(super) fn end(&mut self) {
        if !self.wanted {
            self.let_go();
        }
    }

    /// It starts nothing for a while.
    pub(super) fn let_go(&mut self) {
        self.wanted = false;
        self.spare = None;
        if let Some(queue) = &mut self.queue {
            *queue = PollSemaphore::new(queue.clone_inner());
        }
    }

    /// A permit, if there is one; otherwise one is wanted from now on.
    pub(super) fn take(&mut self) -> Option<Permit> {
        let Some(queue) = &self.queue else { return Some(None) };
        let permit = match self.spare.take() {
            Some(permit) => Some(permit),
            None => queue.clone_inner().try_acquire_owned().ok(),
        };
        self.wanted = permit.is_none();
        permit.map(Some)
    }

    /// Whether a handler could run if there were a permit.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// Resolves when there is a permit. May be dropped and called again: the place is kept.
    pub(super) async fn come(&mut self) {
        let Some(queue) = &mut self.queue else { return std::future::pending().await };
        // It is never closed.
        self.spare = poll_fn(|context| queue.poll_acquire(context)).await;
        self.wanted = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_waited_first_is_served_first() {
        let semaphore = Arc::new(Semaphore::new(1));
        let [mut one, mut two, mut three] =
            [(); 3].map(|()| Permits::new(Some(Arc::clone(&semaphore))));
        let permit = one.take().expect("the first is free");
        assert!(two.take().is_none() && two.is_wanted());
        // Both wait, and do something else in between.
        for waiting in [&mut two, &mut three] {
            let come = waiting.come();
            tokio::pin!(come);
            assert!(futures_util::poll!(come).is_pending());
        }
        drop(permit);
        assert!(one.take().is_none(), "the next one has it");
        two.come().await;
        let permit = two.take().expect("its turn");
        assert!(!two.is_wanted());
        drop(permit);
        three.come().await;
        assert!(three.take().is_some());
    }

    /// One that had the only permit, one that waits for it, and the permit.
    async fn one_waits_for_the_other() -> (Permits, Permits, Permit) {
        let semaphore = Arc::new(Semaphore::new(1));
        let [mut one, mut two] = [(); 2].map(|()| Permits::new(Some(Arc::clone(&semaphore))));
        let permit = one.take().expect("it is free");
        assert!(two.take().is_none());
        {
            let come = two.come();
            tokio::pin!(come);
            assert!(futures_util::poll!(come).is_pending());
        }
        (one, two, permit)
    }

    #[tokio::test]
    async fn who_has_nothing_to_start_keeps_no_permit() {
        let (mut one, mut two, permit) = one_waits_for_the_other().await;
        drop(permit);
        two.come().await;
        // What it wanted the permit for has been parked meanwhile.
        two.begin();
        two.end();
        assert!(one.take().is_some());
    }

    #[tokio::test]
    async fn who_stops_while_it_waits_keeps_nobody_waiting() {
        let (mut one, mut two, permit) = one_waits_for_the_other().await;
        two.let_go();
        drop(permit);
        assert!(one.take().is_some() && !two.is_wanted());
    }

    #[test]
    fn without_a_limit_nobody_waits() {
        let mut permits = Permits::new(None);
        assert!(permits.take().is_some_and(|permit| permit.is_none()));
        assert!(!permits.is_wanted());
    }
}
