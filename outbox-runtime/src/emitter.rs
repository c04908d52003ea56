//! What appends events to the log. An outbox shares it with its transactions, so that whoever has a
//! transaction can emit without knowing the registry's type.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use uuid::Uuid;

use crate::bell::Bell;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Emit, Emitted, Event};
use crate::headers::{Cause, Headers};
use crate::key::key_hash;
use crate::name;
use crate::outbox::{Limits, limits};
use crate::registry::RegistryInfo;
use crate::store::{Backend, NewEvent, Store};
use crate::tx::InTransaction;

/// Everything that emitting needs, made once for each outbox.
pub(crate) struct Emitter<DB: Backend> {
    pub(crate) store: DB::Store,
    pub(crate) bell: Bell,
    pub(crate) limits: Limits,
    pub(crate) listed: Listed,
}

impl<DB: Backend> Emitter<DB> {
    /// Appends events that were prepared, in the caller's transaction.
    pub(crate) async fn append<T: InTransaction<DB> + ?Sized>(
        &self,
        tx: &mut T,
        events: Vec<NewEvent>,
        dedup_ttl: Duration,
    ) -> Result<Vec<Emitted>> {
        let Some(name) = events.first().map(|event| event.name) else { return Ok(Vec::new()) };
        let emitted = self
            .store
            .append(tx.connection(), events, dedup_ttl)
            .await
            .inspect_err(|error| self.store.connections().look_at(error))?;
        tx.emitted(name);
        Ok(emitted)
    }

    /// Appends one event that was prepared.
    pub(crate) async fn append_one<T: InTransaction<DB> + ?Sized>(
        &self,
        tx: &mut T,
        event: NewEvent,
    ) -> Result<Emitted> {
        let emitted = self.append(tx, vec![event], self.limits.dedup_ttl).await?;
        Ok(emitted[0])
    }

    /// An event as it goes into the log, with the headers of its cause: everything that can be
    /// refused is refused here, before anything is written.
    pub(crate) fn prepare<E: Event>(
        &self,
        emit: Emit<E>,
        stamp: impl FnOnce(&mut Headers),
    ) -> Result<NewEvent> {
        let payload: Box<RawValue> = serde_json::value::to_raw_value(&emit.event)
            .map_err(|error| limits::refused::<E>(format!("it cannot be serialised: {error}")))?;
        self.prepare_written(emit, payload, stamp)
    }

    /// The same for an event whose payload is written already.
    pub(crate) fn prepare_written<E: Event>(
        &self,
        emit: Emit<E>,
        payload: Box<RawValue>,
        stamp: impl FnOnce(&mut Headers),
    ) -> Result<NewEvent> {
        if E::RETIRED {
            return Err(limits::retired::<E>());
        }
        name::check("event", E::NAME)?;
        let Emit { event, key, dedup_key, mut headers } = emit;
        let key = key.or_else(|| event.key().map(Cow::into_owned));
        stamp(&mut headers);
        self.limits.check::<E>(&payload, key.as_deref(), dedup_key.as_deref(), &headers)?;
        let id = Uuid::now_v7();
        Ok(NewEvent {
            id,
            name: E::NAME,
            version: E::VERSION,
            key_hash: key_hash(key.as_deref(), id),
            key,
            payload,
            headers,
            dedup_key,
        })
    }
}

#[cfg(test)]
impl<DB: Backend> Emitter<DB> {
    /// For consumers that no registry lists.
    pub(crate) fn listing_nothing(store: DB::Store, bell: Bell) -> Self {
        let listed = Listed { registry: "(none)", events: HashSet::new() };
        Self { store, bell, limits: Limits::default(), listed }
    }
}

/// The events that a registry lists.
pub(crate) struct Listed {
    registry: &'static str,
    events: HashSet<(&'static str, u32)>,
}

impl Listed {
    pub(crate) fn of(registry: &RegistryInfo) -> Self {
        Self {
            registry: registry.name,
            events: registry.events.iter().map(|event| (event.name, event.version)).collect(),
        }
    }

    /// Refuses an event that is not listed; `remedy` says where it would be.
    pub(crate) fn check(
        &self,
        name: &'static str,
        version: u32,
        remedy: impl FnOnce() -> String,
    ) -> Result<()> {
        if self.events.contains(&(name, version)) {
            return Ok(());
        }
        let known = self.events.iter().any(|(known, _)| *known == name);
        let version = if known { format!(" version {version}") } else { String::new() };
        Err(Error::new(
            ErrorKind::Refused,
            "emit",
            format!("`{name}`{version} is not in registry `{}`: {}", self.registry, remedy()),
        ))
    }
}

/// Where an event of the user's own is listed.
pub(crate) fn add_to_events<E>() -> String {
    let path = std::any::type_name::<E>();
    format!("add `{}` to its `events`", path.rsplit("::").next().unwrap_or(path))
}

/// The cause of what is emitted by the code that runs now: that of its task, or else that of its
/// transaction.
pub(crate) fn current_cause(of_tx: Option<&Arc<Cause>>) -> impl FnOnce(&mut Headers) + use<'_> {
    move |headers| Cause::stamp(headers, of_tx.map(Arc::as_ref))
}
