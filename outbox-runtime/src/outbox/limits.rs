//! What is refused at emit, before anything is written.

use std::time::Duration;

use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::headers::Headers;
use crate::json::{MAX_DEPTH, Shape};
use crate::key::MAX_KEY_BYTES;

/// Limits on what can be emitted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Largest payload, in bytes of JSON. Default: 1 MiB.
    pub max_payload_bytes: usize,
    /// Deepest nesting of arrays and objects. Default: 128; more than that has no effect, since
    /// deeper payloads could not be read back.
    pub max_depth: usize,
    /// How long a dedup key is remembered. Default: 7 days.
    pub dedup_ttl: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_payload_bytes: 1024 * 1024,
            max_depth: MAX_DEPTH,
            dedup_ttl: Duration::from_secs(7 * 24 * 3600),
        }
    }
}

impl Limits {
    pub(crate) fn check<E: Event>(
        &self,
        payload: &RawValue,
        key: Option<&str>,
        dedup_key: Option<&str>,
        headers: &Headers,
    ) -> Result<()> {
        let bytes = payload.get().len();
        if bytes > self.max_payload_bytes {
            return Err(refused::<E>(format!(
                "its payload has {bytes} bytes, more than the limit of {}",
                self.max_payload_bytes
            )));
        }
        let shape = Shape::of(payload.get());
        if shape.has_nul {
            return Err(refused::<E>(
                "its payload holds a NUL character (\\u0000), which Postgres cannot store"
                    .to_owned(),
            ));
        }
        let max_depth = self.max_depth.min(MAX_DEPTH);
        if shape.depth > max_depth {
            return Err(refused::<E>(format!(
                "its payload is nested {} deep, more than the limit of {max_depth}",
                shape.depth
            )));
        }
        for (what, text) in [("key", key), ("dedup key", dedup_key)] {
            let Some(text) = text else { continue };
            if text.len() > MAX_KEY_BYTES {
                return Err(refused::<E>(format!(
                    "its {what} has {} bytes, more than the limit of {MAX_KEY_BYTES}",
                    text.len()
                )));
            }
            if text.contains('\0') {
                return Err(refused::<E>(format!("its {what} holds a NUL character")));
            }
        }
        match headers.iter().find(|(name, value)| name.contains('\0') || value.contains('\0')) {
            Some((name, _)) => {
                Err(refused::<E>(format!("its header {name:?} holds a NUL character")))
            }
            None => Ok(()),
        }
    }
}

pub(crate) fn retired<E: Event>() -> Error {
    refused::<E>(format!("version {} is retired: emit a newer version", E::VERSION))
}

pub(crate) fn refused<E: Event>(why: String) -> Error {
    Error::new(ErrorKind::Refused, "emit", format!("`{}` version {}: {why}", E::NAME, E::VERSION))
}
