//! After dump and restore, or a logical fail-over: from the transaction ids of another cluster to
//! those of this one.
//!
//! In another cluster transaction ids start anew. Stored ids then mean nothing, or worse: they are
//! ids of other transactions. Two things are true of what was restored, though: all of it is
//! committed, and its positions keep their order. So
//!
//! * `meta.restored_up_to` says up to which position everything has ended: there every statement
//!   that reads the log goes by position alone (never late, always new, always visible); and
//! * the progress of each shard is translated, once: it has read everything up to a position, its
//!   mark, but for the few events of transactions that were open when it looked. Those get delivery
//!   rows ([`Translation`]).
//!
//! `meta.system_identifier` says whose ids the tables hold. Who takes a shard over compares it with
//! the server's in that very statement, and progress in memory is not trusted by another server
//! than the one it came from (see `window.rs`): so nobody reads here by ids of elsewhere.
//!
//! Services may have emitted here before the first worker came. What they committed counts as
//! restored; what is still open would be taken for restored, and is therefore waited for. (Their
//! positions lie above the restored ones, since `pg_dump` copies the sequence. Logical replication
//! does not: until somebody moves it, emitting fails, or draws positions that retention has freed.
//! Such events are found by the transaction that wrote their row.)

use std::time::Duration;

use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, Row};
use tokio::time::{Instant, sleep};

use super::PostgresStore;
use super::session::{query, query_as, query_scalar};
use super::window::{Server, WindowProgress};
use crate::error::{During, Error, ErrorKind, Result};
use crate::event::Position;
use crate::store::detached;
use crate::store::types::not_before;

const TRANSLATE: &str = "translate progress after a restore";

/// How often to look whether the transactions that are waited for have ended.
const LOOK: Duration = Duration::from_millis(20);

/// How often to look whether another worker has translated, before giving up for now: a minute.
const LOOKS: u32 = 600;

/// How long to wait without saying so.
const PATIENCE: Duration = Duration::from_secs(5);

/// Which cluster a server belongs to, and whose ids are stored.
struct Cluster {
    server: Server,
    here: i64,
    stored: i64,
}

/// The last checkpoint of a shard.
struct Head {
    consumer: String,
    shard: i32,
    seq: i64,
    progress: WindowProgress,
    completed: Vec<Position>,
    event_name: String,
    shards: i32,
    start: String,
}

impl Head {
    fn of(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            consumer: row.try_get(0)?,
            shard: row.try_get(1)?,
            seq: row.try_get(2)?,
            progress: row.try_get::<Json<_>, _>(3)?.0,
            completed: row.try_get(4)?,
            event_name: row.try_get(5)?,
            shards: row.try_get(6)?,
            start: row.try_get(7)?,
        })
    }
}

/// What a progress means where its transaction ids do not count.
#[derive(Debug, PartialEq, Eq)]
struct Translation {
    progress: WindowProgress,
    /// Handled beyond the new progress.
    completed: Vec<Position>,
    /// Up to here, only events of these transactions are unread ...
    mark: Position,
    late: Vec<String>,
    /// ... and of them only those beyond this position, ...
    late_after: Position,
    /// ... and those of these, at any position.
    late_in_window: Vec<String>,
}

impl Translation {
    /// Up to `mark`, the larger of where the reader is in its window and of the last position
    /// before it, an event is unread if its transaction
    ///
    /// * was not visible before the window, which up to `high` means that it is late, and the window
    ///   has not come to it; or
    /// * is not visible in the window either: then it is late for what comes after the window.
    fn of(old: &WindowProgress, completed: &[Position]) -> Self {
        let mark = old.new_after();
        let (late_after, late_in_window) = old.late_in_window();
        Self {
            progress: WindowProgress { high: mark, ..WindowProgress::beginning() },
            completed: completed.iter().copied().filter(|position| *position > mark).collect(),
            mark,
            late: old.late(),
            late_after,
            late_in_window,
        }
    }
}

impl PostgresStore {
    /// Translates the progress of all shards if the tables came from another cluster. Whether there
    /// was anything to do: then whoever asked looks at the ledger again.
    pub(super) async fn translate_if_restored(&self) -> Result<bool> {
        for looks in 0..LOOKS {
            let mut session = self.pool.session().await.during(TRANSLATE)?;
            let cluster = self.cluster(&mut session).await?;
            session.end().await.during(TRANSLATE)?;
            if cluster.here == cluster.stored {
                return Ok(looks > 0);
            }
            let store = self.clone();
            if !detached(async move { store.translate().await }).await? {
                // Another worker is at it: to be waited for, without a connection.
                sleep(LOOK * 5).await;
            }
        }
        Err(unavailable(
            "another worker is at it, and waits for transactions that have emitted here",
        ))
    }

    /// The server that a connection leads to, if what is stored is meant for its cluster.
    pub(super) async fn server_of(&self, connection: &mut PgConnection) -> Result<Server> {
        let cluster = self.cluster(connection).await?;
        if cluster.here == cluster.stored {
            return Ok(cluster.server);
        }
        Err(unavailable("the database was replaced by one that was restored in another cluster"))
    }

    async fn cluster(&self, connection: &mut PgConnection) -> Result<Cluster> {
        let (server, here, stored) = query_as(&self.sql.cluster)
            .fetch_one(connection)
            .await
            .during("ask which cluster this is")?;
        Ok(Cluster { server, here, stored })
    }

    /// All in one transaction, and so on one server. Only the mark is taken before: in a transaction
    /// that has an id already it would be wrong. `false` where another worker is at it.
    async fn translate(&self) -> Result<bool> {
        let barrier = self.mark().await?;
        let mut tx = self.pool.begin().await.during(TRANSLATE)?;
        let cluster = self.cluster(&mut tx).await?;
        if barrier.server != cluster.server {
            return Err(unavailable("two connections of the pool lead to different servers"));
        }
        let stored: Option<i64> = query_scalar(&self.sql.lock_cluster)
            .fetch_optional(&mut *tx)
            .await
            .during(TRANSLATE)?;
        match stored {
            None => return Ok(false),
            Some(stored) if stored == cluster.here => return Ok(true),
            Some(_) => {}
        }
        let (restored, drawn_anew) = self.last_restored(&mut tx).await?;
        self.wait_for_emitters(&mut tx).await?;
        let heads = self.ledger_heads(&mut tx).await?;
        let mut deliveries = 0;
        for head in &heads {
            deliveries += self.translate_shard(&mut tx, head, drawn_anew).await?;
        }
        query(&self.sql.translate_barriers)
            .bind(Json(&barrier))
            .execute(&mut *tx)
            .await
            .during(TRANSLATE)?;
        query(&self.sql.set_cluster)
            .bind(cluster.here)
            .bind(restored)
            .execute(&mut *tx)
            .await
            .during(TRANSLATE)?;
        tx.commit().await.during(TRANSLATE)?;
        tracing::warn!(
            from = cluster.stored,
            to = cluster.here,
            shards = heads.len(),
            deliveries,
            restored_up_to = restored,
            "the database was restored in another cluster: translated the consumers' progress"
        );
        Ok(true)
    }

    /// The last position that was drawn by now; from here on higher ones are. And up to where this
    /// cluster had drawn positions below restored ones.
    async fn last_restored(&self, tx: &mut PgConnection) -> Result<(Position, Position)> {
        let (drawn, last): (Position, Position) =
            query_as(&self.sql.last_position).fetch_one(&mut *tx).await.during(TRANSLATE)?;
        if drawn >= last {
            return Ok((drawn, 0));
        }
        let moved: Position = query_scalar(&self.sql.move_sequence)
            .bind(last)
            .fetch_one(tx)
            .await
            .during("move the sequence of positions behind the restored ones")?;
        Ok((moved, drawn))
    }

    /// Whoever has drawn a position by now has ended after this.
    async fn wait_for_emitters(&self, tx: &mut PgConnection) -> Result<()> {
        let mut open = self.emitting(tx, None).await?;
        let mut speak_at = Instant::now() + PATIENCE;
        while !open.is_empty() {
            if Instant::now() >= speak_at {
                speak_at += PATIENCE * 12;
                tracing::warn!(
                    transactions = open.len(),
                    "the database was restored in another cluster: consumers wait for the end of \
                     transactions that have emitted here"
                );
            }
            sleep(LOOK).await;
            open = self.emitting(tx, Some(&open)).await?;
        }
        Ok(())
    }

    async fn emitting(
        &self,
        tx: &mut PgConnection,
        of_these: Option<&[String]>,
    ) -> Result<Vec<String>> {
        query_scalar(&self.sql.emitting).bind(of_these).fetch_one(tx).await.during(TRANSLATE)
    }

    async fn ledger_heads(&self, tx: &mut PgConnection) -> Result<Vec<Head>> {
        let rows = query(&self.sql.ledger_heads).fetch_all(tx).await;
        rows.during(TRANSLATE)?.iter().map(Head::of).collect::<sqlx::Result<_>>().during(TRANSLATE)
    }

    /// Returns how many delivery rows were needed.
    async fn translate_shard(
        &self,
        tx: &mut PgConnection,
        head: &Head,
        drawn_anew: Position,
    ) -> Result<u64> {
        let translated = Translation::of(&head.progress, &head.completed);
        query(&self.sql.translate_shard)
            .bind(&head.consumer)
            .bind(head.shard)
            .bind(head.seq)
            .bind(Json(&translated.progress))
            .bind(&translated.completed)
            .execute(&mut *tx)
            .await
            .during(TRANSLATE)?;
        if head.shard >= head.shards {
            // It reads nothing: it is no more, or is yet to begin at the barrier.
            return Ok(0);
        }
        let inserted = query(&self.sql.translate_unread)
            .bind(&head.consumer)
            .bind(&head.event_name)
            .bind(head.shard)
            .bind(head.shards)
            .bind(not_before(&head.start))
            .bind(&head.completed)
            .bind(translated.mark)
            .bind(&translated.late)
            .bind(translated.late_after)
            .bind(&translated.late_in_window)
            .bind(drawn_anew)
            .bind(self.clock.fixed())
            .execute(tx)
            .await
            .during(TRANSLATE)?;
        Ok(inserted.rows_affected())
    }
}

fn unavailable(message: &'static str) -> Error {
    Error::new(ErrorKind::Unavailable, TRANSLATE, message)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::window::Window;
    use super::*;

    /// A history of transactions that draw ids and positions and end, and readers that look.
    struct Log {
        random: fastrand::Rng,
        next_id: u64,
        open: Vec<u64>,
        /// Of each position, which transaction wrote it.
        positions: Vec<u64>,
    }

    impl Log {
        fn new(seed: u64) -> Self {
            let random = fastrand::Rng::with_seed(seed);
            Self { random, next_id: 100, open: Vec::new(), positions: vec![0] }
        }

        fn go_on(&mut self, steps: u32) {
            for _ in 0..steps {
                match self.random.u8(0..4) {
                    0 => {
                        self.open.push(self.next_id);
                        self.next_id += 1;
                    }
                    1 if !self.open.is_empty() => {
                        let index = self.random.usize(0..self.open.len());
                        self.open.swap_remove(index);
                    }
                    _ => self.positions.extend(self.random.choice(&self.open).copied()),
                }
            }
        }

        fn high(&self) -> Position {
            self.positions.len() as Position - 1
        }

        /// As the statement marks it: snapshot, position, id, with things happening in between. The
        /// snapshot's `xmax` may be any id after the last that has ended.
        fn mark(&mut self) -> (WindowProgress, HashSet<u64>) {
            let open: HashSet<u64> = self.open.iter().copied().collect();
            let snapshot_next = self.next_id;
            let ended = (100..snapshot_next).filter(|id| !open.contains(id));
            let visible: HashSet<u64> = ended.collect();
            let xmax = visible.iter().max().map_or(100, |last| last + 1);
            let mut xip: Vec<u64> = open.iter().copied().filter(|id| *id < xmax).collect();
            xip.sort_unstable();
            self.go_on(3);
            let high = self.high();
            self.go_on(3);
            let next = self.next_id;
            self.next_id += 1;
            let xmin = xip.first().copied().unwrap_or(xmax);
            let xip = xip.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
            (WindowProgress::seen(format!("{xmin}:{xmax}:{xip}"), next, high), visible)
        }
    }

    fn contains(ids: &[String], id: u64) -> bool {
        ids.contains(&id.to_string())
    }

    /// What is unread by what the reader did equals what is unread by the translation.
    fn check(seed: u64) {
        let mut log = Log::new(seed);
        log.go_on(40);
        let (mut progress, done) = log.mark();
        log.go_on(40);
        let (upto, seen) = log.mark();
        let mut read_up_to = 0;
        if log.random.bool() {
            read_up_to = log.random.i64(0..=upto.high);
            let (next, high) = (upto.next, upto.high);
            let window = Window { upto: upto.done.clone(), next, high, after: read_up_to };
            progress.window = Some(window);
        }
        log.go_on(40);
        // Now everything ends, and is dumped.
        let completed: Vec<Position> =
            (1..=log.high()).filter(|_| log.random.u8(0..10) == 0).collect();
        let translation = Translation::of(&progress, &completed);
        for position in 1..=log.high() {
            let id = log.positions[position as usize];
            let read = done.contains(&id) || (seen.contains(&id) && position <= read_up_to);
            let late = (contains(&translation.late, id) && position > translation.late_after)
                || contains(&translation.late_in_window, id);
            let unread = if position > translation.mark {
                !translation.completed.contains(&position)
            } else {
                late && !completed.contains(&position)
            };
            let expected = !read && !completed.contains(&position);
            assert_eq!(unread, expected, "seed {seed}, position {position} of transaction {id}");
        }
        assert_eq!(translation.progress.late(), Vec::<String>::new());
        assert_eq!(translation.progress.high, translation.mark);
    }

    #[test]
    fn translated_progress_leaves_unread_exactly_what_was() {
        for seed in 0..5_000 {
            check(seed);
        }
    }

    #[test]
    fn a_beginning_stays_a_beginning() {
        let translation = Translation::of(&WindowProgress::beginning(), &[]);
        assert_eq!(translation.progress, WindowProgress::beginning());
        assert!(translation.late.is_empty() && translation.late_in_window.is_empty());
    }
}
