//! A consumer fails with anyhow's error, boxed errors, text, std's, and types of its own.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use outbox_runtime::{Batch, ConsumerDef, ConsumerError, Delivery, Event, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "tick")]
struct Tick {}

/// An error as most are.
#[derive(Debug)]
struct MailError;

impl fmt::Display for MailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no mail today")
    }
}

impl Error for MailError {}

/// An error that says itself what to do about it.
enum CardError {
    Declined,
    Busy,
}

impl From<CardError> for ConsumerError {
    fn from(error: CardError) -> Self {
        match error {
            CardError::Declined => Self::permanent("declined"),
            CardError::Busy => Self::retry_after(Duration::from_secs(60), "busy"),
        }
    }
}

impl From<MailError> for CardError {
    fn from(_: MailError) -> Self {
        Self::Busy
    }
}

fn sends() -> Result<(), MailError> {
    Err(MailError)
}

#[consumer(name = "anyhow")]
async fn by_anyhow(_: Delivery<Tick>) -> anyhow::Result<()> {
    sends()?;
    anyhow::bail!("not today")
}

#[consumer(name = "boxed")]
async fn boxed(_: Delivery<Tick>) -> Result<(), Box<dyn Error + Send + Sync>> {
    sends()?;
    Err("text".into())
}

#[consumer(name = "own")]
async fn own(_: Delivery<Tick>) -> Result<(), MailError> {
    sends()
}

#[consumer(name = "advice")]
async fn advice(_: Delivery<Tick>) -> Result<(), CardError> {
    sends()?;
    Err(CardError::Declined)
}

#[consumer(name = "consumer-error")]
async fn consumer_error(_: Delivery<Tick>) -> Result<(), ConsumerError> {
    sends()?;
    Err(ConsumerError::permanent("never"))
}

#[consumer(name = "text")]
async fn text(_: Delivery<Tick>) -> Result<(), String> {
    Err("text".to_owned())
}

#[consumer(name = "static-text")]
async fn static_text(_: Delivery<Tick>) -> Result<(), &'static str> {
    Err("text")
}

#[consumer(name = "never")]
async fn never(_: Delivery<Tick>) -> Result<(), std::convert::Infallible> {
    Ok(())
}

#[consumer(name = "batch", batch(max = 2))]
async fn batch(_: Batch<Tick>) -> Result<(), CardError> {
    Err(CardError::Declined)
}

fn main() {
    assert!(ConsumerError::from(CardError::Declined).is_permanent());
    assert!(!ConsumerError::from(CardError::from(MailError)).is_permanent());
    let names = [
        by_anyhow::OPTIONS.name,
        boxed::OPTIONS.name,
        own::OPTIONS.name,
        advice::OPTIONS.name,
        consumer_error::OPTIONS.name,
        text::OPTIONS.name,
        static_text::OPTIONS.name,
        never::OPTIONS.name,
        batch::OPTIONS.name,
    ];
    assert!(names.iter().all(|name| !name.is_empty()));
}
