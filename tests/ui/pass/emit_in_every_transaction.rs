//! Events are emitted in the outbox's transactions, in sqlx's, on a connection, and in savepoints;
//! from functions that know neither registry nor database; and on tasks, so the futures are `Send`.

use outbox_runtime::{
    Backend, Emit, Emittable, Event, InTransaction, Outbox, Registered, Registry, Sqlite, Tx,
    registry,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "tick")]
struct Tick {
    n: u64,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "tock")]
struct Tock {}

registry! {
    struct Clock;
    events: [Tick, Tock],
}

async fn anywhere<R, DB, E, I>(
    outbox: &Outbox<R, DB>,
    tx: &mut (impl InTransaction<DB> + ?Sized),
    event: E,
) -> outbox_runtime::Result<()>
where
    R: Registry + Registered<E, I>,
    DB: Backend,
    E: Event + Emittable,
{
    outbox.emit(tx, event).await?;
    Ok(())
}

async fn twice(outbox: &Outbox<Clock, Sqlite>, tx: &mut Tx<'_, Sqlite>) -> anyhow::Result<()> {
    outbox.emit(tx, Tick { n: 1 }).await?;
    outbox.emit(tx, Tock {}).await?;
    let mut savepoint = tx.savepoint().await?;
    outbox.emit(savepoint.tx(), Emit::new(Tick { n: 2 }).header("a", "b")).await?;
    savepoint.release().await?;
    let emitted = outbox.emit_all(tx, (3..5).map(|n| Tick { n })).await?;
    assert_eq!(emitted.len(), 2);
    anywhere(outbox, tx, Tick { n: 5 }).await?;
    Ok(())
}

async fn run() -> anyhow::Result<()> {
    let outbox = outbox_runtime::testing::TestOutbox::<Clock, Sqlite>::new().await?;
    let mut tx = outbox.begin().await?;
    let task = outbox.outbox().clone();
    let tx = tokio::spawn(async move {
        twice(&task, &mut tx).await?;
        anyhow::Ok(tx)
    })
    .await??;
    tx.commit().await?;

    let mut sqlx = outbox.pool().begin().await?;
    outbox.emit(&mut sqlx, Tick { n: 6 }).await?;
    let connection: &mut sqlx::SqliteConnection = &mut sqlx;
    outbox.emit(connection, Tick { n: 7 }).await?;
    sqlx.commit().await?;

    let numbers: Vec<u64> = outbox.emitted::<Tick>().await?.iter().map(|tick| tick.n).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);
    Ok(())
}

fn main() -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run())
}
