//! Waking up the consumers of this process, and telling other processes. A missed ring costs latency,
//! never an event: the worker polls as well.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{Notify, watch};

use crate::store::Signal;

/// Rung after a commit, with the names of the events that were emitted.
#[derive(Clone, Default)]
pub(crate) struct Bell {
    listeners: Arc<Mutex<Vec<Weak<Listener>>>>,
    /// How many counts of rings there have been.
    counts: Arc<AtomicU64>,
    /// Operations on consumers, and leases handed back: for the probers of this process.
    announced: watch::Sender<()>,
    /// Whether the only worker is one of this process, as far as it knows.
    alone: Arc<AtomicBool>,
    /// Tells other processes, where there is a way to.
    signal: Option<Arc<Tell>>,
}

/// Tells other processes something, and whether that is urgent.
type Tell = dyn Fn(Signal<'_>, bool) + Send + Sync;

/// Someone who wants to know about one event name; stops listening when dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    event_name: &'static str,
    rung: Notify,
    /// How often the bell has rung for this event: shared by its listeners.
    rings: Arc<AtomicU64>,
    /// Whether a delivery row may be due that the listener has not heard of.
    due: AtomicBool,
}

impl Bell {
    pub(crate) fn listen(&self, event_name: &'static str) -> Arc<Listener> {
        let mut listeners = self.lock();
        listeners.retain(|other| other.strong_count() > 0);
        let mut others = listeners.iter().filter_map(Weak::upgrade);
        let rings = others.find(|other| other.event_name == event_name);
        // While nobody listens nothing is counted: no number of a count before may come again.
        let new_count = || Arc::new((self.counts.fetch_add(1, Ordering::Relaxed) << 32).into());
        let rings = rings.map_or_else(new_count, |other| Arc::clone(&other.rings));
        let (rung, due) = (Notify::new(), AtomicBool::new(false));
        let listener = Arc::new(Listener { event_name, rung, rings, due });
        listeners.push(Arc::downgrade(&listener));
        listener
    }

    /// Calls `signal` as well when something is committed here.
    pub(crate) fn signalling(signal: impl Fn(Signal<'_>, bool) + Send + Sync + 'static) -> Self {
        Self { signal: Some(Arc::new(signal)), ..Self::default() }
    }

    /// Events of these names were committed here.
    pub(crate) fn committed(&self, event_names: &[&str]) {
        for name in event_names {
            self.ring(name);
        }
        if !event_names.is_empty() {
            // Where nobody else is known to listen, telling them may wait: it would take the processor
            // from the very consumer that has just been woken.
            let urgent = !self.alone.load(Ordering::Relaxed);
            self.tell_others(Signal::Committed(event_names), urgent);
        }
    }

    /// Whether a worker of this process is the only one there is.
    pub(crate) fn note_alone(&self, alone: bool) {
        self.alone.store(alone, Ordering::Relaxed);
    }

    /// Something was changed here that anybody may have to look at.
    pub(crate) fn ring_all(&self) {
        self.ring_all_here();
        self.tell_others(Signal::Look, true);
    }

    fn tell_others(&self, what: Signal<'_>, urgent: bool) {
        if let Some(signal) = &self.signal {
            signal(what, urgent);
        }
    }

    /// Events of this name were committed.
    pub(crate) fn ring(&self, event_name: &str) {
        self.ring_if(|listener| listener.event_name == event_name);
    }

    /// Deliveries of this event are due.
    pub(crate) fn ring_due(&self, event_name: &str) {
        self.ring_if(|listener| listener.event_name == event_name && listener.set_due());
    }

    /// Anything may have happened, somewhere.
    pub(crate) fn ring_all_here(&self) {
        self.ring_if(Listener::set_due);
    }

    /// A consumer was changed, or a lease was handed back: workers look at once.
    pub(crate) fn announce(&self) {
        self.announced.send_replace(());
        self.tell_others(Signal::Look, true);
    }

    /// Sees what is announced from now on.
    pub(crate) fn announcements(&self) -> watch::Receiver<()> {
        self.announced.subscribe()
    }

    fn ring_if(&self, wanted: impl Fn(&Listener) -> bool) {
        let listeners = self.lock();
        let wanted = || listeners.iter().filter_map(Weak::upgrade).filter(|other| wanted(other));
        // All of it is counted before anybody is woken.
        for listener in wanted() {
            listener.rings.fetch_add(1, Ordering::AcqRel);
        }
        for listener in wanted() {
            listener.rung.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Listener>>> {
        // Nothing in here can panic half-way, so a poisoned lock is as good as any.
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Bell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bell").field("listeners", &self.lock().len()).finish_non_exhaustive()
    }
}

impl Listener {
    /// Resolves at the next ring, or at once if the bell rang since the last call.
    pub(crate) async fn rung(&self) {
        self.rung.notified().await;
    }

    /// How often the bell has rung for this event, the same for all of its listeners. Whoever was woken
    /// finds a number in which that ring is counted.
    pub(crate) fn rings(&self) -> u64 {
        self.rings.load(Ordering::Acquire)
    }

    /// Whether a delivery row may be due, since the last call.
    pub(crate) fn take_due(&self) -> bool {
        self.due.swap(false, Ordering::Relaxed)
    }

    fn set_due(&self) -> bool {
        self.due.store(true, Ordering::Relaxed);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_of_an_event_count_the_same_rings() {
        let bell = Bell::default();
        let (one, other, another_event) = (bell.listen("a"), bell.listen("a"), bell.listen("b"));
        let (before, before_b) = (one.rings(), another_event.rings());
        bell.ring("a");
        assert!(one.rings() > before);
        assert_eq!(one.rings(), other.rings());
        assert_eq!(another_event.rings(), before_b);
    }

    /// What has rung while nobody listened is in no count: a page that was read before must not look
    /// as if it were of now.
    #[test]
    fn a_count_does_not_begin_again_where_one_before_began() {
        let bell = Bell::default();
        let before = bell.listen("a").rings();
        bell.ring("a");
        assert_ne!(bell.listen("a").rings(), before);
    }
}
