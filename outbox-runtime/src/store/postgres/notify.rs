//! Telling workers in other processes that something was committed.
//!
//! Never in the transaction that commits it: a `NOTIFY` there makes commits wait for one another. A task
//! of its own sends it afterwards, on a connection of its own: at once if none was sent for a
//! while, and one for many if there are many. It carries nothing, since the log says what is new.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection, PgPool};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::listen::{Outage, answered, backend_of, own_options};
use crate::backoff::Backoff;
use crate::store::Sql;

/// The shortest time between two notifications of one outbox.
const EVERY: Duration = Duration::from_millis(5);

/// Sends notifications for as long as a clone of it lives.
#[derive(Clone, Debug)]
pub(super) struct Notifier(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    task: Task,
    running: Mutex<Option<JoinHandle<()>>>,
    _stop: DropGuard,
}

/// What the task that sends needs; nothing that keeps the notifier alive.
#[derive(Clone, Debug)]
struct Task {
    pool: PgPool,
    statement: Sql,
    wanted: Arc<Notify>,
    /// The server process behind the connection, or 0.
    backend: Arc<AtomicU32>,
    stop: CancellationToken,
}

impl Notifier {
    pub(super) fn new(pool: PgPool, statement: Sql) -> Self {
        let stop = CancellationToken::new();
        let task = Task {
            pool,
            statement,
            wanted: Arc::default(),
            backend: Arc::default(),
            stop: stop.clone(),
        };
        Self(Arc::new(Inner { task, running: Mutex::default(), _stop: stop.drop_guard() }))
    }

    /// Asks for a notification and returns at once.
    pub(super) fn notify(&self) {
        let Inner { task, running, .. } = &*self.0;
        task.wanted.notify_one();
        let Ok(runtime) = Handle::try_current() else { return };
        if task.pool.is_closed() {
            return;
        }
        // Nothing in here can panic half-way, so a poisoned lock is as good as any.
        let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
        // The runtime of the task that was started before may have ended, and the task with it.
        if running.as_ref().is_none_or(JoinHandle::is_finished) {
            *running = Some(runtime.spawn(task.clone().run()));
        }
    }

    /// Whether a notification came from here: the consumers of this process know already then.
    pub(super) fn sent_by(&self, backend: u32) -> bool {
        self.0.task.backend.load(Ordering::Relaxed) == backend
    }
}

impl Task {
    async fn run(self) {
        let mut connection = None;
        tokio::select! {
            () = self.send_all(&mut connection) => {}
            () = self.stop.cancelled() => {}
            () = self.pool.close_event() => {}
        }
        self.backend.store(0, Ordering::Relaxed);
        if let Some(connection) = connection {
            // The server notices anyway, a little later.
            let _ = answered(connection.close()).await;
        }
    }

    async fn send_all(&self, connection: &mut Option<PgConnection>) {
        let mut outage = Outage::of("NOTIFY");
        let mut backoff = Backoff::default();
        loop {
            self.wanted.notified().await;
            loop {
                // An idle connection may have ended unnoticed; that is no outage if there is another.
                let idle = connection.is_some();
                match self.send(connection).await {
                    Ok(()) => break,
                    Err(error) => {
                        *connection = None;
                        self.backend.store(0, Ordering::Relaxed);
                        if !idle {
                            outage.failed(&error);
                            tokio::time::sleep(backoff.next_pause()).await;
                        }
                    }
                }
            }
            outage.over();
            backoff.reset();
            tokio::time::sleep(EVERY).await;
        }
    }

    async fn send(&self, connection: &mut Option<PgConnection>) -> sqlx::Result<()> {
        let sending = async {
            let connection = match connection {
                Some(connection) => connection,
                None => {
                    let options = own_options(&self.pool, "notify");
                    let mut new = PgConnection::connect_with(&options).await?;
                    self.backend.store(backend_of(&mut new).await?, Ordering::Relaxed);
                    connection.insert(new)
                }
            };
            connection.execute(sqlx::raw_sql(self.statement.safe())).await?;
            Ok(())
        };
        answered(sending).await
    }
}
