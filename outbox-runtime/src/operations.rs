//! What people do to consumers while they run: pause, replay, skip, divide anew, retire.
//!
//! Each is one transaction (see `store/control.rs`), safe to be cut off anywhere: then nothing was
//! changed. (A replay of some events goes in steps of a transaction each.) Workers learn of it from the
//! consumer's revision, at the latest with their next look at the fleet (a second where nothing happens).

mod pause;
mod replay;
mod reshard;
mod retire;
mod skip;

use crate::error::{During, Error, ErrorKind, Result};
use crate::store::loan::Transaction;
use crate::store::{ConsumerRow, Control, Ledger};

pub(crate) use pause::{set_key_paused, set_paused};
pub use replay::Replay;
pub(crate) use replay::replay;
pub(crate) use reshard::{meet, reshard};
pub(crate) use retire::retire;
pub use skip::Skip;
pub(crate) use skip::skip;

/// A change of one consumer, under way.
struct Change<'s, S: Control> {
    store: &'s S,
    operation: &'static str,
    tx: Transaction<S::Db>,
    row: ConsumerRow<S::Progress>,
}

impl<'s, S: Control> Change<'s, S> {
    /// Locks the consumer.
    async fn begin(store: &'s S, operation: &'static str, consumer: &str) -> Result<Self> {
        let mut tx = store.begin_control().await?;
        let row = store.lock_consumer(&mut tx, consumer).await?.filter(|row| !row.retired);
        let row = row.ok_or_else(|| {
            let message = format!(
                "there is no consumer `{consumer}`: it is known once a worker with it has started"
            );
            Error::new(ErrorKind::NotFound, operation, message)
        })?;
        Ok(Self { store, operation, tx, row })
    }

    /// Appends a checkpoint to each shard, so that no worker records what it began before.
    async fn fences(&mut self) -> Result<Vec<Ledger<S::Progress>>> {
        let mut ledgers = Vec::with_capacity(self.row.shards as usize);
        for shard in 0..self.row.shards {
            ledgers.extend(self.store.fence(&mut self.tx, &self.row.name, shard).await?);
        }
        Ok(ledgers)
    }

    /// The newest checkpoints of the shards, as they are.
    async fn ledgers(&mut self) -> Result<Vec<Ledger<S::Progress>>> {
        let mut ledgers = self.store.ledgers(&mut self.tx, &self.row.name).await?;
        ledgers.retain(|ledger| ledger.shard < self.row.shards);
        Ok(ledgers)
    }

    /// While the number of shards is changing, all of them stop anew, and the place where they meet is
    /// marked anew: what was done to one may lie beyond it. Needs the fences of all; tells whether.
    fn forget_barrier(&mut self) -> bool {
        let resharding = self.row.resharding.as_mut();
        resharding.is_some_and(|resharding| resharding.barrier.take().is_some())
    }

    async fn amend(&mut self, ledger: &Ledger<S::Progress>) -> Result<()> {
        self.store.amend(&mut self.tx, &self.row.name, ledger).await
    }

    /// Commits what was done, and leaves the consumer as it is.
    async fn commit_rows(self) -> Result<()> {
        self.tx.commit().await.during(self.operation)
    }

    /// Saves the consumer under a new revision.
    async fn commit(mut self) -> Result<()> {
        self.store.save_consumer(&mut self.tx, &self.row).await?;
        self.tx.commit().await.during(self.operation)
    }
}
