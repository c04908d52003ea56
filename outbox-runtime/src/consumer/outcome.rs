//! What a handler reports when it did not fail.

use std::time::Duration;

use super::ConsumerError;

/// The result of an attempt that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Handled; the note is kept where the consumer has `audit`.
    Done(Option<String>),
    /// Nothing to do with this event; the reason is kept where the consumer has `audit`.
    Skipped(String),
    /// Not now: try again after this time. The attempt does not count.
    Snoozed(Duration),
}

impl Outcome {
    /// Not now: try again after `wait`, without counting the attempt.
    #[must_use]
    pub fn snooze(wait: Duration) -> Self {
        Self::Snoozed(wait)
    }

    /// Nothing to do with this event.
    #[must_use]
    pub fn skip(reason: impl Into<String>) -> Self {
        Self::Skipped(reason.into())
    }
}

impl From<()> for Outcome {
    fn from((): ()) -> Self {
        Self::Done(None)
    }
}

impl From<&str> for Outcome {
    fn from(note: &str) -> Self {
        Self::Done(Some(note.to_owned()))
    }
}

impl From<String> for Outcome {
    fn from(note: String) -> Self {
        Self::Done(Some(note))
    }
}

/// What a handler may return: nothing, an [`Outcome`], a note (what becomes one), or a `Result` of
/// one of these.
#[diagnostic::on_unimplemented(
    message = "a consumer cannot return `{Self}`",
    note = "return nothing, a note (`&'static str` or `String`), an `Outcome`, or `Result<T, E>` with one \
            of these for `T` and `E: Into<ConsumerError>`"
)]
pub trait IntoOutcome {
    /// The outcome, or the failure.
    ///
    /// # Errors
    ///
    /// The handler's error.
    fn into_outcome(self) -> Result<Outcome, ConsumerError>;
}

impl IntoOutcome for () {
    fn into_outcome(self) -> Result<Outcome, ConsumerError> {
        Ok(Outcome::Done(None))
    }
}

impl IntoOutcome for Outcome {
    fn into_outcome(self) -> Result<Outcome, ConsumerError> {
        Ok(self)
    }
}

impl IntoOutcome for &str {
    fn into_outcome(self) -> Result<Outcome, ConsumerError> {
        Ok(self.into())
    }
}

impl IntoOutcome for String {
    fn into_outcome(self) -> Result<Outcome, ConsumerError> {
        Ok(self.into())
    }
}

impl<T: Success, E: Failing> IntoOutcome for Result<T, E> {
    fn into_outcome(self) -> Result<Outcome, ConsumerError> {
        match self {
            Ok(done) => Ok(done.into_success()),
            Err(error) => Err(error.into_failure()),
        }
    }
}

/// What a handler may return in `Ok`: whatever is `Into<Outcome>`. A trait of its own for the sake
/// of its message.
#[diagnostic::on_unimplemented(
    message = "a consumer cannot succeed with `{Self}`",
    label = "not `Into<Outcome>`",
    note = "return `Ok(())`, a note about the delivery (`&'static str` or `String`), or an `Outcome`"
)]
pub trait Success {
    /// The outcome.
    fn into_success(self) -> Outcome;
}

#[diagnostic::do_not_recommend]
impl<T: Into<Outcome>> Success for T {
    fn into_success(self) -> Outcome {
        self.into()
    }
}

/// What a handler may return in `Err`: whatever is `Into<ConsumerError>`. A trait of its own for the
/// sake of its message.
#[diagnostic::on_unimplemented(
    message = "a consumer cannot fail with `{Self}`",
    label = "not `Into<ConsumerError>`",
    note = "implement `std::error::Error` for `{Self}`; or `From<{Self}>` for `ConsumerError`, to say \
            which errors are permanent and when to try again"
)]
pub trait Failing {
    /// The error.
    fn into_failure(self) -> ConsumerError;
}

#[diagnostic::do_not_recommend]
impl<E: Into<ConsumerError>> Failing for E {
    fn into_failure(self) -> ConsumerError {
        self.into()
    }
}

/// The results of a batch, one per event in the batch's order.
///
/// ```
/// use outbox_runtime::{BatchOutcome, Outcome};
///
/// let mut outcome = BatchOutcome::all_done(3);
/// outcome.fail(1, "only the second failed");
/// outcome.set(2, Outcome::skip("not ours"));
/// ```
#[derive(Debug)]
pub struct BatchOutcome {
    pub(crate) results: Vec<Result<Outcome, ConsumerError>>,
}

impl BatchOutcome {
    /// Every event of a batch of `len` was handled.
    #[must_use]
    pub fn all_done(len: usize) -> Self {
        Self { results: (0..len).map(|_| Ok(Outcome::Done(None))).collect() }
    }

    /// The event at `index` failed; the others are not affected.
    ///
    /// # Panics
    ///
    /// When there is no such event.
    pub fn fail(&mut self, index: usize, error: impl Into<ConsumerError>) {
        self.results[index] = Err(error.into());
    }

    /// The event at `index` had this outcome.
    ///
    /// # Panics
    ///
    /// When there is no such event.
    pub fn set(&mut self, index: usize, outcome: Outcome) {
        self.results[index] = Ok(outcome);
    }
}

/// What the handler of a batch may return: nothing, or a `Result` of nothing or of a
/// [`BatchOutcome`]. An error fails every event of the batch.
#[diagnostic::on_unimplemented(
    message = "a batch consumer cannot return `{Self}`",
    note = "return nothing, `Result<(), E>` or `Result<BatchOutcome, E>` with `E: Into<ConsumerError>`"
)]
pub trait IntoBatchOutcome {
    /// The outcome of each event, or the failure of all.
    ///
    /// # Errors
    ///
    /// The handler's error.
    fn into_batch_outcome(self, len: usize) -> Result<BatchOutcome, ConsumerError>;
}

impl IntoBatchOutcome for () {
    fn into_batch_outcome(self, len: usize) -> Result<BatchOutcome, ConsumerError> {
        Ok(BatchOutcome::all_done(len))
    }
}

impl IntoBatchOutcome for BatchOutcome {
    fn into_batch_outcome(self, _len: usize) -> Result<BatchOutcome, ConsumerError> {
        Ok(self)
    }
}

impl<T: IntoBatchOutcome, E: Failing> IntoBatchOutcome for Result<T, E> {
    fn into_batch_outcome(self, len: usize) -> Result<BatchOutcome, ConsumerError> {
        match self {
            Ok(done) => done.into_batch_outcome(len),
            Err(error) => Err(error.into_failure()),
        }
    }
}
