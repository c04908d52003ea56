//! Hearing that another process committed something.
//!
//! One connection for each worker, outside the user's pool. While it is lost, the worker polls; when it
//! is back, the worker looks once, since it may have missed something.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{Acquire, Connection, Executor, PgConnection, PgPool, Row};
use tokio::time::{Instant, timeout};

use super::notify::Notifier;
use crate::backoff::Backoff;

/// How long the server may take to answer on one of the engine's own connections.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// How often the connection is tried while nothing is heard: one that ended without a word looks the
/// same as one on which nothing happens.
const TRY_EVERY: Duration = Duration::from_secs(30);

/// Why listening ended.
enum Ended {
    Lost(sqlx::Error),
    /// Every transaction gets another server connection: nothing would be heard.
    Pooled,
}

/// Calls `heard` after each notification of somebody else, and each time after `LISTEN`. Ends with the
/// pool, or where listening is of no use.
pub(super) async fn listen(pool: &PgPool, channel: &str, own: &Notifier, heard: impl Fn()) {
    let listening = async {
        let mut outage = Outage::of("LISTEN");
        let mut backoff = Backoff::default();
        loop {
            let connected = || {
                outage.over();
                backoff.reset();
                heard();
            };
            match listen_once(pool, channel, own, connected, &heard).await {
                Ended::Lost(error) => outage.failed(&error),
                Ended::Pooled => {
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
    heard: impl Fn(),
) -> Ended {
    let mut listener = match timeout(ANSWER_WITHIN, connect(pool, channel)).await {
        Ok(Ok(Some(listener))) => listener,
        Ok(Ok(None)) => return Ended::Pooled,
        Ok(Err(error)) => return Ended::Lost(error),
        Err(_elapsed) => return Ended::Lost(sqlx::Error::PoolTimedOut),
    };
    connected();
    loop {
        match timeout(TRY_EVERY, listener.try_recv()).await {
            Ok(Ok(Some(notification))) if own.sent_by(notification.process_id()) => {}
            Ok(Ok(Some(_))) => heard(),
            Ok(Ok(None)) => return Ended::Lost(closed()),
            Ok(Err(error)) => return Ended::Lost(error),
            Err(_elapsed) => {
                if let Err(error) = answers(&mut listener).await {
                    return Ended::Lost(error);
                }
            }
        }
    }
}

/// A listener, or none if its connection is not its own.
async fn connect(pool: &PgPool, channel: &str) -> sqlx::Result<Option<PgListener>> {
    // A listener needs a pool; this one is only for it, and never replaces its connection.
    let private = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .acquire_timeout(ANSWER_WITHIN)
        .connect_lazy_with(own_options(pool, "listen"));
    let mut listener = PgListener::connect_with(&private).await?;
    listener.eager_reconnect(false);
    let behind = backend_of(listener.acquire().await?).await?;
    // Two connections that are open at the same time have a server process each. (If the pool has
    // none to spare, the errors of the statements will tell.)
    if let Some(mut other) = pool.try_acquire()
        && backend_of(&mut other).await? == behind
    {
        return Ok(None);
    }
    listener.listen(channel).await?;
    Ok(Some(listener))
}

async fn answers(listener: &mut PgListener) -> sqlx::Result<()> {
    let asking = async { listener.acquire().await?.ping().await };
    timeout(ANSWER_WITHIN, asking).await.unwrap_or_else(|_elapsed| Err(closed()))
}

fn closed() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::ConnectionAborted.into())
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
        if self.since.is_none() {
            self.since = Some(Instant::now());
            tracing::warn!(
                %error,
                "lost the connection for {}: workers poll until it is back", self.what
            );
        }
    }

    pub(super) fn over(&mut self) {
        if let Some(since) = self.since.take() {
            tracing::info!(after = ?since.elapsed(), "the connection for {} is back", self.what);
        }
    }
}
