//! `delivery = tx`: effects in the transaction that records the progress, exactly once.

use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{
    Attempt, ConsumerError, Consumers, Delivery, DeliveryFilter, DeliveryState, Outcome, Own,
    Registered, Retry, State, Tx, Worker, consumer, registry,
};
use outbox_tests::{Act, Db, Ping, Probe, Running, wait};
use sqlx::{Connection, Postgres, Sqlite};

/// The consumers name their transaction, so each database has its own.
macro_rules! consumers {
    ($module:ident, $db:ty) => {
        mod $module {
            use super::*;

            /// Writes an effect, then does as its probe says.
            #[consumer(name = "effects", delivery = tx, start = beginning, timeout = "20s", retry = twice)]
            async fn effects(
                ping: Delivery<Ping>,
                tx: &mut Tx<'_, $db>,
                State(probe): State<Probe>,
            ) -> Result<Outcome, ConsumerError> {
                if ping.n == SWALLOWS && ping.attempt() == 1 {
                    let broken = sqlx::query("insert into effect values (null)");
                    assert!(broken.execute(&mut **tx).await.is_err());
                    return Ok(().into());
                }
                let insert = sqlx::query("insert into effect (n) values ($1)").bind(ping.n as i64);
                insert.execute(&mut **tx).await?;
                if ping.n == NESTS {
                    let mut savepoint = tx.savepoint().await?;
                    sqlx::query("delete from effect").execute(&mut **savepoint.tx()).await?;
                    savepoint.rollback().await?;
                }
                probe.handle("effects", &ping).await
            }

            #[consumer(name = "effects", delivery = tx, ordered, start = beginning, retry = twice)]
            async fn ordered(
                ping: Delivery<Ping>,
                tx: &mut Tx<'_, $db>,
                State(probe): State<Probe>,
            ) -> Result<Outcome, ConsumerError> {
                let insert = sqlx::query("insert into effect (n) values ($1)").bind(ping.n as i64);
                insert.execute(&mut **tx).await?;
                probe.handle("effects", &ping).await
            }

            #[consumer(name = "effects", delivery = tx, start = beginning, timeout = "300ms", retry = twice)]
            async fn hasty(
                ping: Delivery<Ping>,
                tx: &mut Tx<'_, $db>,
                State(probe): State<Probe>,
            ) -> Result<Outcome, ConsumerError> {
                let insert = sqlx::query("insert into effect (n) values ($1)").bind(ping.n as i64);
                insert.execute(&mut **tx).await?;
                probe.handle("effects", &ping).await
            }

            registry! {
                pub(super) struct Effects;
                state: Probe,
                events: [Ping],
                consumers: [effects],
            }

            registry! {
                pub(super) struct Ordered;
                state: Probe,
                events: [Ping],
                consumers: [ordered],
            }

            registry! {
                pub(super) struct Hasty;
                state: Probe,
                events: [Ping],
                consumers: [hasty],
            }
        }
    };
}

consumers!(on_postgres, Postgres);
consumers!(on_sqlite, Sqlite);

/// Two attempts, ten seconds apart.
fn twice(attempt: &Attempt, _: &ConsumerError) -> Retry {
    if attempt.number < 2 { Retry::After(Duration::from_secs(10)) } else { Retry::Dead }
}

/// The handler of this event has a statement fail and says nothing of it, once.
const SWALLOWS: u64 = 1_000_001;
/// The handler of this event undoes something with a savepoint.
const NESTS: u64 = 1_000_002;

/// Makes a test on each database of each function and the registry that it takes.
macro_rules! both {
    ($($test:ident: $registry:ident),+ $(,)?) => {
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() -> anyhow::Result<()> {
                super::$test::<super::on_postgres::$registry, sqlx::Postgres>().await
            })+
        }
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() -> anyhow::Result<()> {
                super::$test::<super::on_sqlite::$registry, sqlx::Sqlite>().await
            })+
        }
    };
}

both! {
    of_a_hundred_events_one_fails_and_99_take_effect_once: Effects,
    many_units_take_effect_once: Effects,
    a_panic_undoes_its_own_effect_alone: Effects,
    a_permanent_error_undoes_its_own_effect_alone: Effects,
    a_snooze_undoes_nothing: Effects,
    an_undecodable_payload_is_a_dead_letter: Effects,
    a_statement_that_failed_in_silence_cannot_stop_the_others: Effects,
    a_statement_that_failed_in_silence_cannot_stop_the_shard: Effects,
    a_savepoint_of_the_handler_undoes_what_is_in_it: Effects,
    an_attempt_that_takes_too_long_undoes_its_own_effect_alone: Hasty,
    a_failing_key_holds_back_nobody_else: Ordered,
    a_snooze_holds_its_key_in_the_same_transaction: Ordered,
    an_event_that_only_the_commit_refuses_stops_nobody_else: Effects,
    a_worker_that_is_stopped_leaves_nothing_half_done: Effects,
}

trait Scripted<DB: Db>: Consumers<DB, State = Probe> + Registered<Ping, Own> {}
impl<DB: Db, R: Consumers<DB, State = Probe> + Registered<Ping, Own>> Scripted<DB> for R {}

async fn with<R: Scripted<DB>, DB: Db>(
    pings: impl IntoIterator<Item = Ping>,
) -> Result<TestOutbox<R, DB>> {
    let outbox = TestOutbox::<R, DB>::new().await?;
    DB::execute(outbox.pool(), "create table effect (n bigint not null)").await?;
    let mut tx = outbox.begin().await?;
    outbox.emit_all(&mut tx, pings).await?;
    tx.commit().await?;
    Ok(outbox)
}

/// Every effect, in order; twice if it happened twice.
async fn effects<R: Scripted<DB>, DB: Db>(outbox: &TestOutbox<R, DB>) -> Result<Vec<u64>> {
    let texts =
        DB::texts(outbox.pool(), "select cast(n as text) as shown from effect order by n").await?;
    Ok(texts.into_iter().flatten().map(|n| n.parse()).collect::<Result<_, _>>()?)
}

async fn of_a_hundred_events_one_fails_and_99_take_effect_once<R: Scripted<DB>, DB: Db>()
-> Result<()> {
    let outbox = with::<R, DB>((0..100).map(Ping::new)).await?;
    let probe = Probe::new(|_, ping, _| if ping.n == 42 { Act::Fail } else { Act::Succeed });
    let others: Vec<u64> = (0..100).filter(|n| *n != 42).collect();

    let tally = outbox.drain(probe.clone()).await?;
    assert_eq!(effects(&outbox).await?, others);
    assert_eq!((tally.handled, tally.retried, tally.dead), (99, 1, 0));

    outbox.advance(Duration::from_secs(10));
    let tally = outbox.drain(probe.clone()).await?;
    assert_eq!((tally.handled, tally.retried, tally.dead), (0, 0, 1));
    assert_eq!(effects(&outbox).await?, others);
    let rows = outbox.deliveries(&DeliveryFilter::all()).await?;
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].state, rows[0].attempts), (DeliveryState::Dead, 2));
    let told: Vec<_> = rows[0].errors.iter().map(|e| (e.attempt, e.message.as_str())).collect();
    assert_eq!(told, [(1, "scripted failure"), (2, "scripted failure")]);
    assert!(probe.seen().iter().all(|seen| seen.n == 42 || seen.attempt == 1));
    let stats = outbox.stats().await?.remove(0);
    assert_eq!((stats.handled, stats.retried, stats.dead_total), (99, 1, 1));

    outbox.redrive(&DeliveryFilter::all()).await?;
    probe.rescript(|_, _, _| Act::Succeed);
    outbox.drain(probe).await?;
    assert_eq!(effects(&outbox).await?, (0..100).collect::<Vec<_>>());
    Ok(())
}

async fn many_units_take_effect_once<R: Scripted<DB>, DB: Db>() -> Result<()> {
    let outbox = with::<R, DB>((0..250).map(Ping::new)).await?;
    let probe = Probe::new(|_, ping, _| if ping.n % 50 == 7 { Act::Fail } else { Act::Succeed });
    let worker = || Worker::new(outbox.outbox().clone(), probe.clone()).page_size(70).tx_size(20);
    assert_eq!(worker().drain().await?.handled, 245);
    probe.rescript(|_, _, _| Act::Succeed);
    outbox.advance(Duration::from_secs(10));
    assert_eq!(worker().drain().await?.handled, 5);
    assert_eq!(effects(&outbox).await?, (0..250).collect::<Vec<_>>());
    Ok(())
}

/// Event 3 of 6 ends in some way; the others take effect.
async fn one_of_six<R: Scripted<DB>, DB: Db>(act: Act) -> Result<TestOutbox<R, DB>> {
    let outbox = with::<R, DB>((0..6).map(Ping::new)).await?;
    outbox
        .drain(Probe::new(move |_, ping, _| if ping.n == 3 { act.clone() } else { Act::Succeed }))
        .await?;
    Ok(outbox)
}

async fn a_panic_undoes_its_own_effect_alone<R: Scripted<DB>, DB: Db>() -> Result<()> {
    let outbox = one_of_six::<R, DB>(Act::Panic).await?;
    assert_eq!(effects(&outbox).await?, [0, 1, 2, 4, 5]);
    let row = outbox.deliveries(&DeliveryFilter::all()).await?.remove(0);
    assert_eq!((row.state, row.errors[0].kind.as_str()), (DeliveryState::Retrying, "panic"));
    Ok(())
}

async fn a_permanent_error_undoes_its_own_effect_alone<R: Scripted<DB>, DB: Db>() -> Result<()> {
    let outbox = one_of_six::<R, DB>(Act::Permanent).await?;
    assert_eq!(effects(&outbox).await?, [0, 1, 2, 4, 5]);
    let row = outbox.deliveries(&DeliveryFilter::all()).await?.remove(0);
    assert_eq!((row.state, row.attempts), (DeliveryState::Dead, 1));
    Ok(())
}

async fn a_snooze_undoes_nothing<R: Scripted<DB>, DB: Db>() -> Result<()> {
    let outbox = one_of_six::<R, DB>(Act::Snooze(Duration::from_secs(5))).await?;
    // What a handler did before it snoozed was not a failure, so it stays.
    assert_eq!(effects(&outbox).await?, [0, 1, 2, 3, 4, 5]);
    let row = outbox.deliveries(&DeliveryFilter::all()).await?.remove(0);
    assert_eq!((row.state, row.attempts), (DeliveryState::Delayed, 0));
    Ok(())
}

async fn an_attempt_that_takes_too_long_undoes_its_own_effect_alone<R: Scripted<DB>, DB: Db>()
-> Result<()> {
    let outbox = one_of_six::<R, DB>(Act::Hang).await?;
    assert_eq!(effects(&outbox).await?, [0, 1, 2, 4, 5]);
    let row = outbox.deliveries(&DeliveryFilter::all()).await?.remove(0);
    assert_eq!((row.state, row.errors[0].kind.as_str()), (DeliveryState::Retrying, "timeout"));
    Ok(())
}

async fn an_undecodable_payload_is_a_dead_letter<R: Scripted<DB>, DB: Db>() -> Result<()> {
    let outbox = with::<R, DB>((0..2).map(Ping::new)).await?;
    DB::append(outbox.pool(), "test.ping", 1, None, r#"{"n": null}"#).await?;
    let tally = outbox.drain(Probe::default()).await?;
    assert_eq!((tally.handled, tally.dead), (2, 1));
    assert_eq!(effects(&outbox).await?, [0, 1]);
    Ok(())
}

async fn a_statement_that_failed_in_silence_cannot_stop_the_others<R: Scripted<DB>, DB: Db>()
-> Result<()> {
    let outbox = with::<R, DB>([0, 1, SWALLOWS, 2, 3].map(Ping::new)).await?;
    let probe = Probe::default();
    outbox.drain(probe.clone()).await?;
    assert_eq!(effects(&outbox).await?, [0, 1, 2, 3]);
    swallowed(&outbox, probe).await
}

async fn a_statement_that_failed_in_silence_cannot_stop_the_shard<R: Scripted<DB>, DB: Db>()
-> Result<()> {
    // The last of its transaction, so that no later statement brings it to light.
    for before in [vec![], vec![0, 1]] {
        let numbers = [before.clone(), vec![SWALLOWS]].concat();
        let outbox = with::<R, DB>(numbers.into_iter().map(Ping::new)).await?;
        let probe = Probe::default();
        outbox.drain(probe.clone()).await?;
        assert_eq!(effects(&outbox).await?, before);
        swallowed(&outbox, probe).await?;
    }
    Ok(())
}

/// On Postgres a failed statement spoils its transaction, so the attempt failed; on SQLite it does
/// not.
async fn swallowed<R: Scripted<DB>, DB: Db>(
    outbox: &TestOutbox<R, DB>,
    probe: Probe,
) -> Result<()> {
    let rows = outbox.deliveries(&DeliveryFilter::all()).await?;
    assert_eq!(rows.len(), usize::from(DB::IS_POSTGRES));
    if let Some(row) = rows.first() {
        assert_eq!((row.state, row.attempts), (DeliveryState::Retrying, 1));
        assert!(row.errors[0].message.contains("abort"), "{:?}", row.errors);
        outbox.advance(Duration::from_secs(10));
        outbox.drain(probe).await?;
        assert_eq!(effects(outbox).await?.last(), Some(&SWALLOWS), "it took effect at last");
    }
    Ok(())
}

async fn a_savepoint_of_the_handler_undoes_what_is_in_it<R: Scripted<DB>, DB: Db>() -> Result<()> {
    for others in [Act::Succeed, Act::Fail] {
        let outbox = with::<R, DB>([0, NESTS, 1].map(Ping::new)).await?;
        outbox
            .drain(Probe::new(move |_, ping, _| match ping.n {
                1 => others.clone(),
                _ => Act::Succeed,
            }))
            .await?;
        assert_eq!(effects(&outbox).await?.iter().filter(|n| **n != 1).count(), 2);
    }
    Ok(())
}

async fn a_failing_key_holds_back_nobody_else<R: Scripted<DB>, DB: Db>() -> Result<()> {
    let pings = (0..30).map(|n| Ping::keyed(&(n % 3).to_string(), n));
    let outbox = with::<R, DB>(pings).await?;
    let probe = Probe::new(
        |_, ping, attempt| if ping.n == 4 && attempt == 1 { Act::Fail } else { Act::Succeed },
    );
    outbox.drain(probe.clone()).await?;
    let before: Vec<u64> = (0..30).filter(|n| n % 3 != 1 || *n == 1).collect();
    assert_eq!(effects(&outbox).await?, before);
    outbox.advance(Duration::from_secs(10));
    outbox.drain(probe.clone()).await?;
    assert_eq!(effects(&outbox).await?, (0..30).collect::<Vec<_>>());
    let of_key = probe.by_key("effects").remove("1").expect("it was handled");
    let mut order = of_key[of_key.iter().rposition(|n| *n == 4).expect("it came again")..].to_vec();
    order.dedup();
    assert_eq!(order, [4, 7, 10, 13, 16, 19, 22, 25, 28]);
    assert!(outbox.deliveries(&DeliveryFilter::all()).await?.is_empty());
    Ok(())
}

async fn a_worker_that_is_stopped_leaves_nothing_half_done<R: Scripted<DB>, DB: Db>() -> Result<()>
{
    let outbox = with::<R, DB>((0..10).map(Ping::new)).await?;
    let probe = Probe::new(|_, ping, _| if ping.n == 5 { Act::Gate } else { Act::Succeed });
    let running = Running::worker(
        Worker::new(outbox.outbox().clone(), probe.clone())
            .shutdown_timeout(Duration::from_millis(50)),
    );
    probe.until_called("effects", 6).await;
    running.stop().await?;
    assert!(effects(&outbox).await?.is_empty());
    probe.open_gate();
    outbox.drain(probe.clone()).await?;
    assert_eq!(effects(&outbox).await?, (0..10).collect::<Vec<_>>());
    assert!(probe.seen().iter().all(|seen| seen.attempt == 1));
    Ok(())
}

mod conflicts;

/// A deferred constraint is looked at only at the commit, so no savepoint tells whose fault it is.
async fn an_event_that_only_the_commit_refuses_stops_nobody_else<R: Scripted<DB>, DB: Db>()
-> Result<()> {
    let outbox = with::<R, DB>((0..30).map(Ping::new)).await?;
    let pool = outbox.pool();
    DB::execute(pool, "drop table effect").await?;
    DB::execute(pool, "create table parent (n bigint primary key)").await?;
    let effect = "create table effect \
                  (n bigint not null references parent (n) deferrable initially deferred)";
    DB::execute(pool, effect).await?;
    for n in (0..30).filter(|n| *n != 17) {
        DB::execute(pool, &format!("insert into parent values ({n})")).await?;
    }
    let probe = Probe::default();

    outbox.drain(probe.clone()).await?;
    assert_eq!(effects(&outbox).await?, (0..30).filter(|n| *n != 17).collect::<Vec<_>>());
    outbox.advance(Duration::from_secs(10));
    outbox.drain(probe).await?;
    let rows = outbox.deliveries(&DeliveryFilter::all()).await?;
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].state, rows[0].attempts), (DeliveryState::Dead, 2));
    assert!(rows[0].errors[0].message.starts_with("commit: "), "{:?}", rows[0].errors);
    Ok(())
}

async fn a_snooze_holds_its_key_in_the_same_transaction<R: Scripted<DB>, DB: Db>() -> Result<()> {
    let pings = [Ping::keyed("a", 1), Ping::keyed("a", 2), Ping::keyed("b", 3)];
    let outbox = with::<R, DB>(pings).await?;
    let probe = Probe::new(|_, ping, _| match ping.n {
        1 => Act::Snooze(Duration::from_secs(10)),
        _ => Act::Succeed,
    });
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("effects"), [1, 3]);
    probe.forget();
    probe.rescript(|_, _, _| Act::Succeed);
    outbox.advance(Duration::from_secs(10));
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("effects"), [1, 2]);
    Ok(())
}
