//! What happened, as types. Names are permanent: stored events are read by them for years.

use outbox_runtime::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A webhook arrived and is stored.
///
/// The key is what events are ordered by: an `ordered` consumer gets the events of one repository
/// one after another, and those of different repositories side by side. A webhook that belongs to
/// no repository has no key, and no order.
#[derive(Clone, Debug, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "webhook.received", version = 1, key = repository)]
pub(crate) struct WebhookReceived {
    /// Identifies this webhook; a second delivery of it has the same id.
    pub(crate) delivery_id: String,
    /// `push`, `issues`, `release`: GitHub sends it beside the body.
    pub(crate) kind: String,
    /// What exactly happened: of `issues` it may be `opened` or `closed`.
    pub(crate) action: Option<String>,
    /// `owner/name`.
    pub(crate) repository: Option<String>,
    /// Who did it.
    pub(crate) sender: Option<String>,
    /// Everything that was sent.
    pub(crate) body: serde_json::Value,
}

/// A release was published. Emitted by a consumer of [`WebhookReceived`].
#[derive(Clone, Debug, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "release.announced", version = 1, key = repository)]
pub(crate) struct ReleaseAnnounced {
    pub(crate) repository: String,
    pub(crate) tag: String,
}

impl WebhookReceived {
    /// Whether this is a webhook of that kind and action.
    pub(crate) fn is(&self, kind: &str, action: &str) -> bool {
        self.kind == kind && self.action.as_deref() == Some(action)
    }

    /// The release that was published, if this is about one.
    pub(crate) fn published_release(&self) -> Option<ReleaseAnnounced> {
        let tag = self.body.pointer("/release/tag_name")?.as_str()?;
        let repository = self.repository.clone()?;
        self.is("release", "published")
            .then(|| ReleaseAnnounced { repository, tag: tag.to_owned() })
    }

    /// A line for people.
    pub(crate) fn summary(&self) -> String {
        let sender = self.sender.as_deref().unwrap_or("somebody");
        match &self.action {
            Some(action) => format!("{sender}: {} {action}", self.kind),
            None => format!("{sender}: {}", self.kind),
        }
    }
}
