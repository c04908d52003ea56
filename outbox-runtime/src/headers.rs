//! Headers: what travels with an event beside its payload, and the causation it carries.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// The id of the event whose handling emitted this one.
pub const CAUSATION_ID: &str = "causation_id";
/// The consumer whose handling emitted this one.
pub const CAUSED_BY: &str = "caused_by";
/// The id of the first event of the chain (absent on the first event itself), or what the
/// request said.
pub const CORRELATION_ID: &str = "correlation_id";
/// When the fact happened, RFC 3339, where that is not when it was emitted.
pub const OCCURRED_AT: &str = "occurred_at";
/// W3C trace context: the parent's trace and span.
pub const TRACEPARENT: &str = "traceparent";
/// W3C trace context: vendor state.
pub const TRACESTATE: &str = "tracestate";

/// Names and values that travel with an event.
///
/// Values are strings. What somebody has inserted by hand as another JSON value reads as its JSON
/// text, so that it holds nothing up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Headers(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Raw, because not everything that is JSON fits a `serde_json::Value`.
        let values = BTreeMap::<String, Box<RawValue>>::deserialize(deserializer)?;
        let text = |value: Box<RawValue>| {
            serde_json::from_str(value.get()).unwrap_or_else(|_| value.get().to_owned())
        };
        Ok(Self(values.into_iter().map(|(name, value)| (name, text(value))).collect()))
    }
}

impl Headers {
    /// The value of a header.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Sets a header, replacing an earlier value.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// All headers in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn set_if_absent(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value
            && !self.0.contains_key(name)
        {
            self.set(name, value);
        }
    }
}

/// What caused the events that are emitted while a future runs: set around a request with
/// [`Cause::scope`], and by the engine around every handler.
///
/// ```
/// use outbox_runtime::Cause;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let cause = Cause::request()
///     .correlation_id("req-1")
///     .traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
/// cause.scope(async { /* emit here */ }).await;
/// # });
/// ```
#[derive(Clone, Debug, Default)]
pub struct Cause {
    correlation_id: Option<String>,
    traceparent: Option<String>,
    tracestate: Option<String>,
}

/// What puts its mark on the headers of the events that it causes.
pub(crate) trait Stamp: Send + Sync {
    /// Adds what is known of the cause. What the headers have already stays.
    fn stamp_on(&self, headers: &mut Headers);
}

tokio::task_local! {
    static CURRENT: Arc<dyn Stamp>;
}

/// Runs a future; what it emits (on its own task) is stamped so.
pub(crate) async fn stamped<F: Future>(stamp: Arc<dyn Stamp>, future: F) -> F::Output {
    CURRENT.scope(stamp, future).await
}

impl Cause {
    /// A cause from outside: a request, a command, a cron tick.
    #[must_use]
    pub fn request() -> Self {
        Self::default()
    }

    /// The cause that a request tells of in its headers: `traceparent`, `tracestate`, and
    /// `x-correlation-id` or else `x-request-id`. Values of more than 512 bytes, and those that are
    /// not visible ASCII, are ignored.
    ///
    /// ```
    /// use outbox_runtime::Cause;
    ///
    /// # use std::collections::BTreeMap;
    /// # let request = BTreeMap::from([("x-request-id", "req-1")]);
    /// let cause = Cause::from_request(|name| request.get(name).map(|value| value.as_bytes()));
    /// ```
    #[must_use]
    pub fn from_request<'h>(header: impl Fn(&str) -> Option<&'h [u8]>) -> Self {
        let value = |name| header(name).and_then(printable).map(str::to_owned);
        Self {
            correlation_id: value("x-correlation-id").or_else(|| value("x-request-id")),
            traceparent: value(TRACEPARENT),
            tracestate: value(TRACESTATE),
        }
    }

    /// What ties together everything that follows from the request.
    #[must_use]
    pub fn correlation_id(mut self, id: impl Into<String>) -> Self {
        self.correlation_id = Some(id.into());
        self
    }

    /// The `traceparent` header of the request.
    #[must_use]
    pub fn traceparent(mut self, value: impl Into<String>) -> Self {
        self.traceparent = Some(value.into());
        self
    }

    /// The `tracestate` header of the request.
    #[must_use]
    pub fn tracestate(mut self, value: impl Into<String>) -> Self {
        self.tracestate = Some(value.into());
        self
    }

    /// Runs a future; what it emits (on its own task) carries this cause.
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        stamped(Arc::new(self), future).await
    }

    /// Adds the cause of the running task, or else this other one, to the headers of an event that
    /// is being emitted.
    pub(crate) fn stamp(headers: &mut Headers, or_else: Option<&Self>) {
        let of_task = CURRENT.try_with(|cause| cause.stamp_on(headers));
        if let (Err(_no_task), Some(cause)) = (of_task, or_else) {
            cause.stamp_on(headers);
        }
    }
}

impl Stamp for Cause {
    fn stamp_on(&self, headers: &mut Headers) {
        headers.set_if_absent(CORRELATION_ID, self.correlation_id.as_deref());
        headers.set_if_absent(TRACEPARENT, self.traceparent.as_deref());
        headers.set_if_absent(TRACESTATE, self.tracestate.as_deref());
    }
}

/// Longer values of a request's headers are ignored, so that nobody fills the log from outside.
/// (Trace context asks for room for 512 in `tracestate`, the longest of them.)
const MAX_REQUEST_HEADER_BYTES: usize = 512;

fn printable(value: &[u8]) -> Option<&str> {
    let visible = |byte: &u8| matches!(byte, b' '..=b'~');
    let fits = !value.is_empty() && value.len() <= MAX_REQUEST_HEADER_BYTES;
    (fits && value.iter().all(visible)).then(|| std::str::from_utf8(value).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamped(request: &[(&str, &[u8])]) -> Headers {
        let header =
            |name: &str| request.iter().find(|(given, _)| *given == name).map(|(_, value)| *value);
        let mut headers = Headers::default();
        Cause::from_request(header).stamp_on(&mut headers);
        headers
    }

    #[test]
    fn a_request_tells_its_trace_and_its_correlation() {
        let headers = stamped(&[
            ("traceparent", b"00-trace-span-01"),
            ("tracestate", b"a=1, b=2"),
            ("x-correlation-id", b"correlation"),
            ("x-request-id", b"request"),
        ]);
        let all: Vec<_> = headers.iter().collect();
        assert_eq!(
            all,
            [
                (CORRELATION_ID, "correlation"),
                (TRACEPARENT, "00-trace-span-01"),
                (TRACESTATE, "a=1, b=2")
            ]
        );
    }

    #[test]
    fn what_is_unfit_is_ignored() {
        let long = [b'a'; MAX_REQUEST_HEADER_BYTES + 1];
        for unfit in [&long[..], b"", b"a\tb", b"a\0", "caf\u{e9}".as_bytes(), b"\xff"] {
            let headers = stamped(&[("x-correlation-id", unfit), ("x-request-id", b"request")]);
            assert_eq!(headers.get(CORRELATION_ID), Some("request"), "{unfit:?}");
            assert!(stamped(&[("traceparent", unfit)]).is_empty(), "{unfit:?}");
        }
        assert_eq!(stamped(&[("x-request-id", &long[1..])]).iter().count(), 1);
    }
}
