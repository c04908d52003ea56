//! Something that the shard asks the database and does not wait for.

use std::future::{Future, pending};

use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use crate::error::{Error, ErrorKind, Result};

/// One call at a time. It runs in a task of its own: it comes to its end and gives its connection
/// back whatever the shard does meanwhile, waiting for another connection included. Dropped, it is
/// given up.
#[derive(Debug)]
pub(super) struct Call<T> {
    task: JoinSet<Result<T>>,
    answer: Option<Result<T>>,
    asked: Instant,
}

impl<T: Send + 'static> Call<T> {
    pub(super) fn new() -> Self {
        Self { task: JoinSet::new(), answer: None, asked: Instant::now() }
    }

    pub(super) fn ask(&mut self, work: impl Future<Output = Result<T>> + Send + 'static) {
        debug_assert!(!self.is_open(), "one call at a time");
        self.asked = Instant::now();
        self.task.spawn(work);
    }

    /// When it was asked last.
    pub(super) fn asked(&self) -> Instant {
        self.asked
    }

    /// Whether it was asked something and the answer has not been taken.
    pub(super) fn is_open(&self) -> bool {
        self.answer.is_some() || !self.task.is_empty()
    }

    /// Resolves when an answer has come, and never where nothing was asked. May be dropped and called
    /// again.
    pub(super) async fn answered(&mut self) {
        if self.answer.is_none() {
            match self.task.join_next().await {
                Some(joined) => self.answer = Some(joined.unwrap_or_else(broken)),
                None => pending().await,
            }
        }
    }

    /// The answer, if it has come.
    pub(super) fn take(&mut self) -> Option<Result<T>> {
        let come = || self.task.try_join_next().map(|joined| joined.unwrap_or_else(broken));
        self.answer.take().or_else(come)
    }

    /// Gives up. Nothing of it still runs after this.
    pub(super) async fn give_up(&mut self) {
        self.task.shutdown().await;
        self.answer = None;
    }
}

/// It panicked, or the runtime is shutting down: what is in memory cannot be relied on.
fn broken<T>(error: JoinError) -> Result<T> {
    let message = format!("a task of the shard ended unexpectedly: {error}");
    Err(Error::new(ErrorKind::LeaseLost, "run a shard", message))
}

#[cfg(test)]
mod tests {
    use futures_util::poll;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn an_answer_waits_until_it_is_taken() {
        let mut call = Call::new();
        assert!(call.take().is_none() && !call.is_open());
        let (say, said) = oneshot::channel();
        call.ask(async { Ok(said.await.unwrap_or(0)) });
        assert!(call.is_open() && call.take().is_none());
        assert!(poll!(Box::pin(call.answered())).is_pending(), "and is dropped");
        say.send(7).expect("it is asked");
        call.answered().await;
        call.answered().await;
        assert_eq!(call.take().expect("an answer").expect("a number"), 7);
        assert!(!call.is_open());
        assert!(poll!(Box::pin(call.answered())).is_pending(), "nothing was asked");
    }

    #[tokio::test]
    async fn a_call_that_panics_ends_the_shard() {
        let mut call = Call::<u32>::new();
        call.ask(async { panic!("on purpose") });
        call.answered().await;
        let error = call.take().expect("an answer").expect_err("no number");
        assert_eq!(error.kind(), ErrorKind::LeaseLost);
        assert!(error.to_string().contains("on purpose"), "{error}");
    }

    #[tokio::test]
    async fn what_is_given_up_runs_no_more() {
        let (alive, gone) = oneshot::channel::<()>();
        let mut call = Call::<u32>::new();
        call.ask(async move {
            let _alive = alive;
            pending().await
        });
        call.give_up().await;
        assert!(gone.await.is_err() && !call.is_open());
    }
}
