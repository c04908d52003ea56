//! What a handler reports when it did not succeed.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The failure of one attempt: a cause, and optionally what to do about it.
///
/// Made by `?` from anything that converts into `Box<dyn Error + Send + Sync>`: std errors,
/// `anyhow::Error`, strings. (Like `anyhow::Error`, it is not itself a `std::error::Error`, so an
/// error type of your own that is none either can implement `From` for it.)
///
/// ```
/// use std::time::Duration;
/// use outbox_runtime::ConsumerError;
///
/// fn send(status: u16) -> Result<(), ConsumerError> {
///     match status {
///         200 => Ok(()),
///         429 => Err(ConsumerError::retry_after(Duration::from_secs(60), "slow down")),
///         400..500 => Err(ConsumerError::permanent(format!("refused with {status}"))),
///         _ => Err("try again".into()),
///     }
/// }
/// assert!(send(404).unwrap_err().is_permanent());
/// ```
pub struct ConsumerError {
    cause: Box<dyn StdError + Send + Sync>,
    advice: Advice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Advice {
    AsConfigured,
    Permanent,
    RetryAfter(Duration),
}

impl ConsumerError {
    /// An error that no retry can mend: the delivery becomes a dead letter at once.
    pub fn permanent(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { cause: cause.into(), advice: Advice::Permanent }
    }

    /// An error that says itself when to try again. The attempt counts.
    pub fn retry_after(wait: Duration, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { cause: cause.into(), advice: Advice::RetryAfter(wait) }
    }

    /// Whether no retry can mend it.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.advice == Advice::Permanent
    }

    /// The cause as the type it was, if it was that type.
    #[must_use]
    pub fn downcast_ref<T: StdError + 'static>(&self) -> Option<&T> {
        self.cause.downcast_ref()
    }

    /// The cause.
    #[must_use]
    pub fn cause(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.cause
    }

    pub(crate) fn wait(&self) -> Option<Duration> {
        match self.advice {
            Advice::RetryAfter(wait) => Some(wait),
            Advice::AsConfigured | Advice::Permanent => None,
        }
    }

    pub(crate) fn is_conflict(&self) -> bool {
        crate::error::is_conflict(&*self.cause)
    }

    /// The failure of a whole batch, for each of its events.
    pub(crate) fn shared(of: &Arc<Self>) -> Self {
        Self { cause: Box::new(Shared(Arc::clone(of))), advice: of.advice }
    }

    /// The messages of the causes below the first.
    pub(crate) fn chain(&self) -> Vec<String> {
        let mut chain = Vec::new();
        let mut next = self.cause.source();
        while let Some(error) = next {
            chain.push(error.to_string());
            next = error.source();
        }
        chain
    }
}

impl<E: Into<Box<dyn StdError + Send + Sync>>> From<E> for ConsumerError {
    fn from(cause: E) -> Self {
        Self { cause: cause.into(), advice: Advice::AsConfigured }
    }
}

impl fmt::Display for ConsumerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl fmt::Debug for ConsumerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsumerError")
            .field("cause", &self.cause)
            .field("advice", &self.advice)
            .finish()
    }
}

#[derive(Debug)]
struct Shared(Arc<ConsumerError>);

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Shared {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.source()
    }
}
