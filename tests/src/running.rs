//! A worker in a task of its own.

use std::time::Duration;

use outbox_runtime::testing::{TestBackend, TestOutbox};
use outbox_runtime::{Consumers, Result, Tally, Worker};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::wait;

/// A worker that runs until it is stopped.
#[derive(Debug)]
pub struct Running {
    stop: CancellationToken,
    task: JoinHandle<Result<Tally>>,
}

impl Running {
    /// Starts a worker that notices everything soon.
    pub fn start<R: Consumers<DB>, DB: TestBackend>(
        outbox: &TestOutbox<R, DB>,
        state: R::State,
    ) -> Self {
        let often = Duration::from_millis(10);
        Self::worker(Worker::new(outbox.outbox().clone(), state).poll(often, often))
    }

    /// Starts a worker with options.
    pub fn worker<R: Consumers<DB>, DB: TestBackend>(worker: Worker<R, DB>) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(worker.run_until(stop.clone().cancelled_owned()));
        Self { stop, task }
    }

    /// Tells the worker to stop.
    pub fn tell_to_stop(&self) {
        self.stop.cancel();
    }

    /// Tells the worker to stop, and waits for it.
    ///
    /// # Errors
    ///
    /// What the worker says.
    ///
    /// # Panics
    ///
    /// When the worker does not stop, or panicked.
    pub async fn stop(self) -> Result<Tally> {
        self.tell_to_stop();
        self.ended().await
    }

    /// Waits until the worker ends by itself.
    ///
    /// # Errors
    ///
    /// What the worker says.
    ///
    /// # Panics
    ///
    /// When the worker does not end, or panicked.
    pub async fn ended(self) -> Result<Tally> {
        match wait::for_signal("the worker to stop", self.task).await {
            Ok(tally) => tally,
            Err(error) => panic!("the worker's task ended: {error}"),
        }
    }
}
