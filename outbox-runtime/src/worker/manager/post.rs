//! A shard that this worker runs: its task, and the ways to end it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::consumer::Bound;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{ShardId, Store};
use crate::worker::crew::{Crew, Tally};
use crate::worker::outage::Watch;
use crate::worker::shard::{Shard, Until};

/// The manager's end of a shard's task.
pub(super) struct Post {
    /// The lease is lost: whatever runs is dropped.
    lost: CancellationToken,
    /// The lease is to be handed back: what runs may finish.
    leave: CancellationToken,
    /// The consumer was changed: what runs may finish, then the shard is taken over anew.
    reload: Arc<Notify>,
}

impl Post {
    pub(super) fn lose(&self) {
        self.lost.cancel();
    }

    pub(super) fn leave(&self) {
        self.leave.cancel();
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.leave.is_cancelled()
    }

    pub(super) fn reload(&self) {
        self.reload.notify_one();
    }
}

/// Runs a shard for as long as this worker has its lease.
pub(super) struct ShardTask<S: Store> {
    crew: Arc<Crew<S>>,
    consumer: Arc<Bound<S::Db>>,
    id: ShardId,
    lost: CancellationToken,
    leave: CancellationToken,
    reload: Arc<Notify>,
    /// The whole worker stops.
    ending: CancellationToken,
}

/// What a shard's task brings back.
pub(super) struct Left {
    pub(super) id: ShardId,
    pub(super) tally: Tally,
    /// Whether nothing is left that may have killed the worker before.
    pub(super) clean: bool,
}

/// A post and the task that mans it, until it is told to leave or the whole worker stops.
pub(super) fn man<S: Store>(
    crew: &Arc<Crew<S>>,
    consumer: &Arc<Bound<S::Db>>,
    id: ShardId,
    ending: CancellationToken,
) -> (Post, ShardTask<S>) {
    let leave = ending.child_token();
    let (lost, reload) = (CancellationToken::new(), Arc::new(Notify::new()));
    let post = Post { lost: lost.clone(), leave: leave.clone(), reload: Arc::clone(&reload) };
    let (crew, consumer) = (Arc::clone(crew), Arc::clone(consumer));
    (post, ShardTask { crew, consumer, id, lost, leave, reload, ending })
}

/// Why an incarnation of a shard ended.
enum Ended {
    /// It was told to start anew.
    Reloaded,
    /// It had to give up.
    Failed(Error),
    /// The lease is another worker's, or the shard is no more.
    Gone,
}

impl<S: Store> ShardTask<S> {
    /// Starts the shard anew from its last checkpoint when it had to give up, for as long as the
    /// lease is ours.
    pub(super) async fn run(self, mut unclean: bool) -> Left {
        let mut tally = Tally::default();
        let mut watch = self.crew.outage.watch(format!("taking over shard {}", self.id));
        while !self.lost.is_cancelled() && !self.leave.is_cancelled() {
            // A panic must not keep the lease from everybody for ever.
            let lived = self.incarnation(&mut unclean, &mut tally, &mut watch);
            let lived = AssertUnwindSafe(lived).catch_unwind().await;
            let error = match lived {
                Ok(Ended::Gone) => break,
                Ok(Ended::Reloaded) => continue,
                // It cannot come back; whoever runs the worker is told.
                Ok(Ended::Failed(error)) if error.kind() == ErrorKind::Closed => break,
                Ok(Ended::Failed(error)) => error,
                Err(_panic) => Error::new(ErrorKind::LeaseLost, "run a shard", "its task panicked"),
            };
            let mut pause = watch.failed(&error);
            tokio::select! {
                () = pause.over() => {}
                () = self.lost.cancelled() => {}
                () = self.leave.cancelled() => {}
            }
        }
        Left { id: self.id, tally, clean: !unclean }
    }

    /// `unclean` becomes false once all is passed that may have killed the worker before.
    async fn incarnation(&self, unclean: &mut bool, tally: &mut Tally, watch: &mut Watch) -> Ended {
        let (crew, consumer) = (Arc::clone(&self.crew), Arc::clone(&self.consumer));
        let token = self.leave.child_token();
        let (told, ending) = (token.clone(), self.ending.clone());
        let taken = Shard::take_over(crew, consumer, self.id.shard, *unclean, told, ending).await;
        let mut shard = match taken {
            Ok(shard) => shard,
            Err(error) if error.kind() == ErrorKind::LeaseLost => {
                tracing::debug!(shard = %self.id, %error, "the shard is another worker's");
                return Ended::Gone;
            }
            Err(error) => return Ended::Failed(error),
        };
        watch.recovered();
        tracing::debug!(shard = %self.id, unclean, "running a shard");
        let ended = self.until_told(&mut shard, &token).await;
        token.cancel();
        // Nothing of this life may still run when the next one begins.
        shard.abandon().await;
        *tally += shard.tally;
        *unclean &= shard.has_suspects();
        match ended {
            Ok(()) => Ended::Reloaded,
            Err(error) => Ended::Failed(error),
        }
    }

    /// Runs a shard until it ends by itself, finishes because it was told to, or the lease is lost.
    async fn until_told(&self, shard: &mut Shard<S>, token: &CancellationToken) -> Result<()> {
        let running = shard.run(Until::Stopped);
        tokio::pin!(running);
        loop {
            tokio::select! {
                ended = &mut running => return ended,
                () = self.lost.cancelled() => {
                    let lost =
                        Error::new(ErrorKind::LeaseLost, "keep a lease", "another worker goes on");
                    self.crew.outage.note(&format!("shard {}", self.id), &lost);
                    return Ok(());
                }
                () = self.reload.notified(), if !token.is_cancelled() => token.cancel(),
            }
        }
    }
}
