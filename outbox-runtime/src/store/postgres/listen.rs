//! Hearing that another process committed something.
//!
//! One connection for each worker, outside the user's pool. While it is lost, the worker polls; when it
//! is back, the worker looks once, since it may have missed something.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{Acquire, Connection, Executor, PgConnection, PgPool, Row};
use tokio::time::{Instant, timeout};

use super::notify::Notifier;
use crate::backoff::Backoff;
use crate::store::Signal;

/// How long the server may take to answer on one of the engine's own connections.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// How often the connection is tried while nothing is heard: one that ended without a word looks the
/// same as one on which nothing happens.
const TRY_EVERY: Duration = Duration::from_secs(30);

/// Calls `heard` after each notification of somebody else, and each time after `LISTEN`. Ends with the
/// pool, or where listening is of no use.
pub(super) async fn listen(
    pool: &PgPool,
    channel: &str,
    own: &Notifier,
    heard: impl Fn(Signal<'_>),
) {
    let listening = async {
        let mut own_session = false;
        let mut outage = Outage::of("LISTEN");
        let mut backoff = Backoff::default();
        loop {
            let connected = || {
                outage.over();
                backoff.reset();
                heard(Signal::Look);
            };
            let listening = async {
                if !own_session {
                    own_session = has_own_session(pool).await?;
                }
                match own_session {
                    true => listen_once(pool, channel, own, connected, &heard).await.map(Some),
                    false => Ok(None),
                }
            };
            match listening.await {
                Err(error) => outage.failed(&error),
                Ok(Some(never)) => match never {},
                Ok(None) => {
                    tracing::error!(
                        "a connection pooler in transaction mode is between this worker and Postgres: \
                         build the outbox with `OutboxBuilder::poll_only()`"
                    );
                    return;
                }
            }
            tokio::time::sleep(backoff.next_pause()).await;
        }
    };
    tokio::select! {
        () = listening => {}
        () = pool.close_event() => {}
    }
}

async fn listen_once(
    pool: &PgPool,
    channel: &str,
    own: &Notifier,
    connected: impl FnOnce(),
    heard: impl Fn(Signal<'_>),
) -> sqlx::Result<Infallible> {
    let mut listener = answered(connect(pool, channel)).await?;
    connected();
    loop {
        match timeout(TRY_EVERY, listener.try_recv()).await {
            Ok(notification) => match notification? {
                Some(notification) if own.sent_by(notification.process_id()) => {}
                Some(notification) => said(notification.payload(), &heard),
                None => return Err(sqlx::Error::Io(ErrorKind::ConnectionAborted.into())),
            },
            Err(_elapsed) => {
                answered(async { listener.acquire().await?.ping().await }).await?;
            }
        }
    }
}

/// What a notification says: see [`Notifier`].
fn said(payload: &str, heard: impl Fn(Signal<'_>)) {
    let names: Vec<&str> = payload.split_ascii_whitespace().collect();
    heard(if names.is_empty() { Signal::Look } else { Signal::Committed(&names) });
}

async fn connect(pool: &PgPool, channel: &str) -> sqlx::Result<PgListener> {
    // A listener needs a pool; this one is only for it, and never replaces its connection.
    let private = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_lazy_with(own_options(pool, "listen"));
    let mut listener = PgListener::connect_with(&private).await?;
    listener.eager_reconnect(false);
    listener.listen(channel).await?;
    Ok(listener)
}

/// Whether a connection keeps its server process. Two connections that are open at the same time have
/// one each, always the same; behind a pooler in transaction mode they share some.
async fn has_own_session(pool: &PgPool) -> sqlx::Result<bool> {
    const ROUNDS: usize = 5;
    let options = own_options(pool, "check");
    let connect = || answered(PgConnection::connect_with(&options));
    let (mut one, mut other) = (connect().await?, connect().await?);
    let asking = async {
        let mut behind = Vec::new();
        for _ in 0..ROUNDS {
            behind.push((backend_of(&mut one).await?, backend_of(&mut other).await?));
        }
        Ok(behind)
    };
    let behind = answered(asking).await?;
    answered(async { one.close().await.and(other.close().await) }).await?;
    Ok(behind.iter().all(|pair| pair.0 != pair.1 && *pair == behind[0]))
}

/// A server that says nothing is as good as none.
pub(super) async fn answered<T>(asked: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    let silent = |_elapsed| Err(sqlx::Error::Io(ErrorKind::TimedOut.into()));
    timeout(ANSWER_WITHIN, asked).await.unwrap_or_else(silent)
}

/// The options of the user's pool, under a name that tells people what the connection is for.
pub(super) fn own_options(pool: &PgPool, purpose: &str) -> PgConnectOptions {
    let options = (*pool.connect_options()).clone();
    let name = match options.get_application_name() {
        Some(theirs) => format!("outbox {purpose}: {theirs}"),
        None => format!("outbox {purpose}"),
    };
    options.application_name(&name)
}

/// The server process behind a connection. Asked in a way that leaves nothing there.
pub(super) async fn backend_of(connection: &mut PgConnection) -> sqlx::Result<u32> {
    let row = connection.fetch_one(sqlx::raw_sql("select pg_backend_pid()")).await?;
    Ok(row.try_get::<i32, _>(0)?.unsigned_abs())
}

/// Tells people once that a connection was lost and once that it is back.
pub(super) struct Outage {
    what: &'static str,
    since: Option<Instant>,
}

impl Outage {
    pub(super) fn of(what: &'static str) -> Self {
        Self { what, since: None }
    }

    pub(super) fn failed(&mut self, error: &sqlx::Error) {
        if self.since.is_some() {
            tracing::debug!(%error, "still no connection for {}", self.what);
            return;
        }
        self.since = Some(Instant::now());
        tracing::warn!(
            %error,
            "lost the connection for {}: workers poll until it is back", self.what
        );
    }

    pub(super) fn over(&mut self) {
        if let Some(since) = self.since.take() {
            tracing::info!(after = ?since.elapsed(), "the connection for {} is back", self.what);
        }
    }
}
