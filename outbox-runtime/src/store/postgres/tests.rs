//! The store on Postgres by itself: its statements, and the plans of those that matter.

use std::time::Duration;

use serde_json::value::to_raw_value;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use sqlx::{Arguments, AssertSqlSafe, Executor, Postgres, Row, SqlSafeStr};
use uuid::Uuid;

use super::{PostgresStore, WindowProgress};
use crate::clock::Clock;
use crate::consumer::Start;
use crate::error::ErrorKind;
use crate::key::key_hash;
use crate::store::line::Line;
use crate::store::types::Totals;
use crate::store::{
    Changes, Checkpoint, Namespace, NewEvent, Page, Progress, Registration, ShardId, Slice, Store,
};
use crate::testing::TestDatabase;

async fn migrated(namespace: &Namespace) -> (TestDatabase<Postgres>, PostgresStore) {
    let database = TestDatabase::<Postgres>::create().await.unwrap();
    let store = PostgresStore::new(database.pool().clone(), namespace, Clock::database());
    store.migrate().await.unwrap();
    (database, store)
}

#[tokio::test]
async fn every_statement_prepares_in_any_schema() {
    for namespace in [Namespace::default(), Namespace::new("other_1").unwrap()] {
        let (_database, store) = migrated(&namespace).await;
        for (name, sql) in store.statements() {
            if name == "append_changed" {
                // Not a statement before the user's is put into it; the suite runs it.
                continue;
            }
            let sql = AssertSqlSafe(sql).into_sql_str();
            let prepared = store.pool().prepare(sql).await;
            assert!(prepared.is_ok(), "{name} in {}: {:?}", namespace.as_str(), prepared.err());
        }
    }
}

/// As a table a sequence is read without its lock, and may be up to 32 ahead of what was drawn (see
/// `open_window.sql`). Too rare to be seen by a test: two sessions that do nothing but draw showed it once
/// in 5,000 reads.
#[tokio::test]
async fn no_statement_reads_the_sequence_of_positions_as_a_table() {
    let (_database, store) = migrated(&Namespace::default()).await;
    let function = "select pg_get_functiondef('outbox.register_consumer'::regproc)";
    let function: String = sqlx::query_scalar(function).fetch_one(store.pool()).await.unwrap();
    let statements = store.statements().into_iter();
    for (name, sql) in statements.chain([("register_consumer", function)]) {
        let others = sql.replace("pg_sequence_last_value", "");
        assert!(!others.contains("last_value"), "{name}");
    }
}

fn events(count: usize, name: &'static str) -> Vec<NewEvent> {
    let new = |_| {
        let id = Uuid::now_v7();
        NewEvent {
            id,
            name,
            version: 1,
            key: None,
            key_hash: key_hash(None, id),
            payload: to_raw_value(&1).unwrap(),
            headers: Default::default(),
            dedup_key: None,
        }
    };
    (0..count).map(new).collect()
}

/// A reader that draws an id moves on; one that has nothing to do stays where it is.
#[tokio::test]
async fn a_reader_draws_an_id_only_where_there_is_something_to_move_past() {
    let (_database, store) = migrated(&Namespace::default()).await;
    let start = store.mark().await.unwrap();
    let slice = Slice::whole("wanted");
    for foreign in [0, 500, 499] {
        let mut tx = store.pool().begin().await.unwrap();
        store.append(&mut tx, events(foreign, "foreign"), Duration::ZERO).await.unwrap();
        tx.commit().await.unwrap();
        let page = store.read(&Line::default(), &start, None, &slice, 100).await.unwrap();
        assert!(page.caught_up && page.events.is_empty());
        assert_eq!(page.end, start, "after {foreign} more events of others");
    }
    let mut tx = store.pool().begin().await.unwrap();
    store.append(&mut tx, events(1, "foreign"), Duration::ZERO).await.unwrap();
    tx.commit().await.unwrap();
    let page = store.read(&Line::default(), &start, None, &slice, 100).await.unwrap();
    assert!(page.caught_up && page.events.is_empty());
    assert_ne!(page.end, start, "a thousand events of others are worth an id");
}

/// As it is with pages that Postgres returns; `moves.rs` says why, and tries it on many logs.
#[tokio::test]
async fn readers_of_the_same_page_join_once_both_have_passed_where_they_came_from() {
    let (_database, store) = migrated(&Namespace::default()).await;
    let slice = Slice::whole("wanted");
    let emit = async |name| {
        let mut tx = store.pool().begin().await.unwrap();
        store.append(&mut tx, events(3, name), Duration::ZERO).await.unwrap();
        tx.commit().await.unwrap();
    };
    emit("foreign").await;
    let mut late = store.pool().begin().await.unwrap();
    store.append(&mut late, events(1, "wanted"), Duration::ZERO).await.unwrap();
    let one = store.mark().await.unwrap();
    emit("foreign").await;
    let other = store.mark().await.unwrap();
    late.commit().await.unwrap();
    emit("wanted").await;
    let read = async |from: &WindowProgress, limit| {
        store.read(&Line::default(), from, None, &slice, limit).await.unwrap()
    };
    let positions = |page: &Page<WindowProgress>| -> Vec<_> {
        page.events.iter().map(|event| event.position).collect()
    };
    // The first of the four lies before either mark.
    for (limit, joins) in [(1, false), (2, true), (10, true)] {
        let (page, others) = (read(&one, limit).await, read(&other, limit).await);
        assert_eq!(positions(&page), positions(&others));
        assert_eq!(page.start.joins(&page.end, &others.start, &others.end), joins, "{limit}");
        assert_eq!(others.start.joins(&others.end, &page.start, &page.end), joins, "{limit}");
        let mut given = positions(&page);
        given.extend(positions(&read(&others.end, 10).await));
        assert_eq!(given, [4, 8, 9, 10], "{limit}");
    }
    // Nor do those join that read on in windows of which the other knows nothing.
    let (begun, others) = (read(&one, 2).await, read(&other, 2).await);
    let (page, others) = (read(&begun.end, 1).await, read(&others.end, 1).await);
    assert_eq!(positions(&page), positions(&others));
    assert!(!page.start.joins(&page.end, &others.start, &others.end));
}

/// What retention has deleted is jumped over, however much it was.
#[tokio::test]
async fn a_reader_jumps_over_what_is_gone() {
    let (_database, store) = migrated(&Namespace::default()).await;
    let slice = Slice::whole("wanted");
    store.pool().execute("select setval('outbox.event_position_seq', 50000000)").await.unwrap();
    let mut tx = store.pool().begin().await.unwrap();
    store.append(&mut tx, events(3, "wanted"), Duration::ZERO).await.unwrap();
    tx.commit().await.unwrap();
    let server = store.mark().await.unwrap().server;
    let mut progress = super::WindowProgress::beginning().on(server);
    let mut found = Vec::new();
    // The first only finds out that there is something to jump over (see `open_window_none_late.sql`).
    for _ in 0..3 {
        let page = store.read(&Line::default(), &progress, None, &slice, 2).await.unwrap();
        found.extend(page.events.iter().map(|event| event.position));
        progress = page.end;
    }
    assert_eq!(found, [50_000_001, 50_000_002, 50_000_003]);
}

/// The rows that the scans of a plan looked at, from `explain (analyze, format json)`.
fn rows_scanned(plan: &serde_json::Value) -> f64 {
    let own = match plan["Relation Name"].as_str() {
        Some("event") => {
            let number = |field: &str| plan[field].as_f64().unwrap_or(0.0);
            (number("Actual Rows")
                + number("Rows Removed by Filter")
                + number("Rows Removed by Index Recheck"))
                * number("Actual Loops")
        }
        _ => 0.0,
    };
    let children =
        plan["Plans"].as_array().map_or(0.0, |plans| plans.iter().map(rows_scanned).sum());
    own + children
}

/// A page costs what is in it, whatever the statistics say: no plan collects and sorts a whole
/// transaction, or walks the whole log, to return the first few rows.
#[tokio::test]
async fn a_page_scans_no_more_than_the_page_and_its_span() {
    const PAGE: i64 = 100;
    const SPAN: i64 = 10_000;
    let (_database, store) = migrated(&Namespace::default()).await;
    let mut tx = store.pool().begin().await.unwrap();
    let bulk: String =
        sqlx::query_scalar("select pg_current_xact_id()::text").fetch_one(&mut *tx).await.unwrap();
    store.append(&mut tx, events(60_000, "bulk"), Duration::ZERO).await.unwrap();
    tx.commit().await.unwrap();
    for _ in 0..20 {
        let mut tx = store.pool().begin().await.unwrap();
        store.append(&mut tx, events(500, "after"), Duration::ZERO).await.unwrap();
        tx.commit().await.unwrap();
    }
    let upto: String = sqlx::query_scalar("select pg_current_snapshot()::text")
        .fetch_one(store.pool())
        .await
        .unwrap();
    // The late part stops at the page; the new part looks at one span and finds nothing.
    let continued = || -> Result<PgArguments, BoxDynError> {
        let mut arguments = PgArguments::default();
        arguments.add(vec![bulk.clone()])?;
        arguments.add(20_000_i64)?;
        arguments.add(&bulk)?;
        add_slice(&mut arguments, SPAN, "bulk", PAGE)?;
        arguments.add(&upto)?;
        arguments.add(60_000_i64)?;
        arguments.add(60_000 + SPAN)?;
        Ok(arguments)
    };
    scans_at_most(SPAN + 10 * PAGE, &store, "continue_window", continued).await;
    // Where nothing is late: of what is there a page, and of what is not a span.
    for (name, most) in [("bulk", 10 * PAGE), ("rare", SPAN + 10 * PAGE)] {
        let opened = || -> Result<PgArguments, BoxDynError> {
            let mut arguments = PgArguments::default();
            arguments.add(20_000_i64)?;
            arguments.add("3")?;
            add_slice(&mut arguments, SPAN, name, PAGE)?;
            arguments.add(super::log::WORTH_AN_ID)?;
            Ok(arguments)
        };
        scans_at_most(most, &store, "open_window_none_late", opened).await;
        scans_at_most(most, &store, "open_window_few", opened).await;
    }
}

/// However long the log is, Postgres does not take the time to compile the statements that read it.
#[tokio::test]
async fn what_is_read_all_the_time_is_never_compiled() {
    const COMPILED_ABOVE: f64 = 100_000.0;
    let (_database, store) = migrated(&Namespace::default()).await;
    let mut tx = store.pool().begin().await.unwrap();
    store.append(&mut tx, events(1_000, "some"), Duration::ZERO).await.unwrap();
    tx.commit().await.unwrap();
    let mut connection = store.pool().acquire().await.unwrap();
    let threshold: String =
        sqlx::query_scalar("select boot_val from pg_settings where name = 'jit_above_cost'")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
    assert_eq!(threshold.parse(), Ok(COMPILED_ABOVE));
    connection.execute("set plan_cache_mode = force_generic_plan").await.unwrap();
    let often = [
        "open_window",
        "open_window_few",
        "open_window_none_late",
        "continue_window",
        "probe",
        "examine_range",
    ];
    let statements = store.statements().into_iter();
    let statements: Vec<_> = statements.filter(|(name, _)| often.contains(name)).collect();
    assert_eq!(statements.len(), often.len());
    for statistics in [
        "analyze outbox.event",
        "analyze outbox.meta",
        "delete from pg_statistic where starelid = 'outbox.event'::regclass",
    ] {
        connection.execute(statistics).await.unwrap();
        let long = "update pg_class set reltuples = 1e9 where oid = 'outbox.event'::regclass";
        connection.execute(long).await.unwrap();
        for (name, text) in &statements {
            let parameters = (1..=12).rev().find(|n| text.contains(&format!("${n}"))).unwrap_or(0);
            let nulls = vec!["null"; parameters].join(", ");
            connection.execute(AssertSqlSafe(format!("prepare {name} as {text}"))).await.unwrap();
            let explain = AssertSqlSafe(format!("explain (format json) execute {name} ({nulls})"));
            let plan: serde_json::Value =
                sqlx::raw_sql(explain).fetch_one(&mut *connection).await.unwrap().get(0);
            let cost = plan[0]["Plan"]["Total Cost"].as_f64().unwrap();
            assert!(
                (1.0..COMPILED_ABOVE).contains(&cost),
                "{name}, {statistics}, costs {cost}: {plan:#}"
            );
            connection.execute(AssertSqlSafe(format!("deallocate {name}"))).await.unwrap();
        }
    }
}

/// To plan a statement takes as long as to read a hundred events.
#[tokio::test]
async fn what_reads_at_the_head_is_planned_once() {
    let (_database, store) = migrated(&Namespace::default()).await;
    let mut tx = store.pool().begin().await.unwrap();
    store.append(&mut tx, events(5_000, "some"), Duration::ZERO).await.unwrap();
    tx.commit().await.unwrap();
    for statistics in [
        "analyze outbox.event",
        "delete from pg_statistic where starelid = 'outbox.event'::regclass",
    ] {
        for name in ["open_window_few", "open_window_none_late"] {
            let (_, text) = store.statements().into_iter().find(|found| found.0 == name).unwrap();
            let mut connection = store.pool().acquire().await.unwrap();
            connection.execute(statistics).await.unwrap();
            connection.execute(AssertSqlSafe(format!("prepare reading as {text}"))).await.unwrap();
            for high in 4_900..4_920 {
                let values = format!("{high}, '3', 10000, 'some', 0, 1, null, 32, 1000");
                let read = AssertSqlSafe(format!("execute reading ({values})"));
                let rows = sqlx::raw_sql(read).fetch_all(&mut *connection).await.unwrap();
                assert!(rows.len() >= 32, "{name} read {}", rows.len());
            }
            let plans = "select custom_plans, generic_plans from pg_prepared_statements
                         where name = 'reading'";
            let plans: (i64, i64) =
                sqlx::query_as(plans).fetch_one(&mut *connection).await.unwrap();
            assert_eq!(plans, (5, 15), "{name}, {statistics}");
            connection.execute("deallocate reading").await.unwrap();
        }
    }
}

/// The parameters from the number of positions to look at to the limit: one shard, from the beginning.
fn add_slice(
    arguments: &mut PgArguments,
    positions: i64,
    name: &str,
    limit: i64,
) -> Result<(), BoxDynError> {
    arguments.add(positions)?;
    arguments.add(name)?;
    arguments.add(0_i32)?;
    arguments.add(1_i32)?;
    arguments.add(None::<chrono::DateTime<chrono::Utc>>)?;
    arguments.add(limit)
}

/// With and without statistics, and whether or not the planner knows the values.
async fn scans_at_most(
    most: i64,
    store: &PostgresStore,
    statement: &str,
    arguments: impl Fn() -> Result<PgArguments, BoxDynError>,
) {
    let (_, text) =
        store.statements().into_iter().find(|(name, _)| *name == statement).expect(statement);
    for statistics in [
        "delete from pg_statistic where starelid = 'outbox.event'::regclass",
        "analyze outbox.event",
    ] {
        for mode in ["force_generic_plan", "force_custom_plan"] {
            let mut connection = store.pool().acquire().await.unwrap();
            connection.execute(statistics).await.unwrap();
            let set = AssertSqlSafe(format!("set plan_cache_mode = {mode}"));
            connection.execute(set).await.unwrap();
            let explained = AssertSqlSafe(format!("explain (analyze, format json) {text}"));
            let explained = sqlx::query_scalar_with(explained, arguments().unwrap());
            let plan: serde_json::Value = explained.fetch_one(&mut *connection).await.unwrap();
            let scanned = rows_scanned(&plan[0]["Plan"]);
            assert!(
                scanned <= most as f64,
                "{statement}, {statistics}, {mode}: scanned {scanned} rows: {plan:#}"
            );
            connection.execute("reset plan_cache_mode").await.unwrap();
        }
    }
}

/// However much is kept of what is handled. (More often than Postgres plans for the values it is given.)
#[tokio::test]
async fn the_lag_costs_what_it_counts() {
    let (_database, store) = migrated(&Namespace::default()).await;
    let mut tx = store.pool().begin().await.unwrap();
    store.append(&mut tx, events(20_000, "handled"), Duration::ZERO).await.unwrap();
    tx.commit().await.unwrap();
    let mut late = store.pool().begin().await.unwrap();
    store.append(&mut late, events(5, "handled"), Duration::ZERO).await.unwrap();
    let late_id: String = sqlx::query_scalar("select pg_current_xact_id()::text")
        .fetch_one(&mut *late)
        .await
        .unwrap();
    let mark = store.mark().await.unwrap();
    late.commit().await.unwrap();
    let mut tx = store.pool().begin().await.unwrap();
    store.append(&mut tx, events(10, "handled"), Duration::ZERO).await.unwrap();
    tx.commit().await.unwrap();
    let text = &store.statements().into_iter().find(|(name, _)| *name == "lag").unwrap().1;
    let mut connection = store.pool().acquire().await.unwrap();
    connection.execute("analyze outbox.event").await.unwrap();
    // Beside those of other tests, in other databases of the server.
    assert!(mark.late().contains(&late_id));
    for explained in [false, true] {
        let text = if explained { &format!("explain (analyze, format json) {text}") } else { text };
        for _ in 0..8 {
            let row = sqlx::query(AssertSqlSafe(text.clone()))
                .bind(mark.late())
                .bind(0_i64)
                .bind(mark.next.to_string())
                .bind(mark.high)
                .bind("handled")
                .bind(0_i32)
                .bind(1_i32)
                .bind(None::<chrono::DateTime<chrono::Utc>>)
                .bind(Vec::<i64>::new())
                .bind(None::<String>)
                .fetch_one(&mut *connection)
                .await
                .unwrap();
            if explained {
                let plan: serde_json::Value = row.get(0);
                let scanned = rows_scanned(&plan[0]["Plan"]);
                assert!(scanned <= 100.0, "scanned {scanned} rows: {plan:#}");
            } else {
                assert_eq!(row.get::<i64, _>(0), 15);
            }
        }
    }
}

/// As after a long pause: what the worker would collide with has been trimmed by then, though not
/// its own last checkpoint, which was the last of its minute.
#[tokio::test]
async fn a_worker_whose_number_was_trimmed_changes_nothing() {
    let (_database, store) = migrated(&Namespace::default()).await;
    let registration = Registration {
        name: "c",
        event_name: "a",
        event_version: 1,
        ordered: false,
        shards: 1,
        start: Start::Beginning,
    };
    store.register(&[registration]).await.unwrap();
    let (one, two) = (Uuid::now_v7(), Uuid::now_v7());
    let progress = store.mark().await.unwrap();
    let checkpoint = |seq, worker| Checkpoint {
        shard: ShardId { consumer: "c", shard: 0 },
        seq,
        progress: progress.clone(),
        completed: vec![7],
        totals: Totals::default(),
        worker,
        drained: false,
    };
    let mut connection = store.pool().acquire().await.unwrap();
    for (seq, worker) in [(1, one), (2, two), (3, two)] {
        let checkpoint = checkpoint(seq, worker);
        store.record(&mut connection, &checkpoint, &Changes::default()).await.unwrap();
    }
    connection.execute("delete from outbox.checkpoint where seq = 2").await.unwrap();
    let late = store.record(&mut connection, &checkpoint(2, one), &Changes::default()).await;
    assert_eq!(late.unwrap_err().kind(), ErrorKind::LeaseLost);
    let own = store.record(&mut connection, &checkpoint(4, two), &Changes::default()).await;
    own.unwrap();
}
