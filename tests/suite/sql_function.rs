//! `outbox.emit`: events from SQL, triggers and other languages (Postgres only).

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{EventFilter, Outbox, Postgres, Worker};
use outbox_tests::{Db, Ping, Probe, Running};
use serde_json::json;

use crate::consumers::{Ordered, Plain, Sharded};

type Test = TestOutbox<Plain, Postgres>;

async fn run(outbox: &Test, sql: &str) -> sqlx::Result<u64> {
    Postgres::execute(outbox.pool(), sql).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_from_sql_are_delivered_like_any_other() -> Result<()> {
    let outbox = Test::new().await?;
    let emitted: uuid::Uuid = sqlx::query_scalar(
        r#"select outbox.emit('test.ping', 1, 'a', '{"key": "a", "n": 18446744073709551615}',
                              '{"tenant": "acme"}')"#,
    )
    .fetch_one(outbox.pool())
    .await?;
    run(&outbox, r#"select outbox.emit('test.ping', 1, null, '{"key": null, "n": 2}')"#).await?;
    let probe = Probe::default();
    outbox.drain(probe.clone()).await?;
    let mut seen = probe.seen();
    seen.sort_by_key(|seen| seen.n);
    assert_eq!(seen.len(), 2);
    assert_eq!((seen[0].n, &seen[0].key), (2, &None));
    assert_eq!((seen[1].id, seen[1].n, seen[1].key.as_deref()), (emitted, u64::MAX, Some("a")));
    assert_eq!(seen[1].headers.get("tenant"), Some("acme"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_worker_finds_events_from_sql() -> Result<()> {
    let outbox = Test::new().await?;
    let probe = Probe::default();
    let running = Running::start(&outbox, probe.clone());
    run(&outbox, r#"select outbox.emit('test.ping', 1, null, '{"key": null, "n": 2}')"#).await?;
    probe.until_called("plain", 1).await;
    running.stop().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_from_sql_roll_back_with_their_transaction() -> Result<()> {
    let outbox = Test::new().await?;
    let mut tx = outbox.pool().begin().await?;
    Postgres::run(&mut tx, r#"select outbox.emit('test.ping', 1, null, '{"n": 1}')"#).await?;
    tx.rollback().await?;
    assert!(outbox.events(&EventFilter::all()).await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_statement_changes_rows_and_emits_one_event_per_changed_row() -> Result<()> {
    let outbox = Test::new().await?;
    sqlx::raw_sql(
        "create table machine (id bigint primary key, state text);
         insert into machine select n, 'idle' from generate_series(1, 5) n",
    )
    .execute(outbox.pool())
    .await?;
    let activate = |from: i64| {
        format!(
            "with changed as (
                 update machine set state = 'active' where id > {from} and state = 'idle' returning id)
             select outbox.emit('test.ping', 1, id::text,
                                jsonb_build_object('key', id::text, 'n', id)) from changed"
        )
    };
    assert_eq!(run(&outbox, &activate(2)).await?, 3);
    assert_eq!(run(&outbox, &activate(2)).await?, 0, "zero rows, zero events");
    let probe = Probe::default();
    outbox.drain(probe.clone()).await?;
    let mut numbers = probe.numbers("plain");
    numbers.sort_unstable();
    assert_eq!(numbers, [3, 4, 5]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trigger_can_emit() -> Result<()> {
    let outbox = Test::new().await?;
    sqlx::raw_sql(
        "create table machine (id bigint primary key);
         create function tell() returns trigger language plpgsql as $$
         begin
             perform outbox.emit('test.ping', 1, null, jsonb_build_object('n', new.id));
             return new;
         end $$;
         create trigger tell after insert on machine for each row execute function tell();
         insert into machine select * from generate_series(1, 3)",
    )
    .execute(outbox.pool())
    .await?;
    assert_eq!(outbox.emitted::<Ping>().await?, [1, 2, 3].map(Ping::new));
    Ok(())
}

/// A call, the SQLSTATE that it is refused with, and what the message says.
fn bad_calls() -> Vec<(String, &'static str, &'static str)> {
    let call = |name: &str, version: &str, key: &str, payload: &str, headers: &str| {
        format!("select outbox.emit({name}, {version}, {key}, {payload}, {headers})")
    };
    let with_name = |name: &str| call(name, "1", "null", "'{}'", "'{}'");
    let long_name = format!("'{}'", "a".repeat(129));
    let nested = |levels| format!("'{}{}'", "[".repeat(levels), "]".repeat(levels));
    let big = "to_jsonb(repeat('x', 1048575))";
    vec![
        (with_name("'Order Placed'"), "22023", "'Order Placed' is not a valid event name"),
        (with_name("''"), "22023", "'' is not a valid event name"),
        (with_name("'a..b'"), "22023", "'a..b' is not a valid"),
        (with_name("E'a\\n'"), "22023", "is not a valid event name"),
        (with_name("null"), "22023", "null is not a valid event name"),
        (with_name(&long_name), "22023", "is not a valid event name"),
        (call("'a'", "0", "null", "'{}'", "'{}'"), "22023", "the version of a must be at least 1"),
        (call("'a'", "null", "null", "'{}'", "'{}'"), "22023", "the version of a"),
        (call("'a'", "1", "repeat('k', 1025)", "'{}'", "'{}'"), "22023", "has 1025 bytes"),
        (call("'a'", "1", "repeat('é', 513)", "'{}'", "'{}'"), "22023", "has 1026 bytes"),
        (call("'a'", "1", "null", "null", "'{}'"), "22004", "the payload of a is null"),
        (call("'a'", "1", "null", big, "'{}'"), "54000", "has 1048577 bytes, more than 1048576"),
        (call("'a'", "1", "null", &nested(129), "'{}'"), "54000", "nested deeper than 128"),
        (call("'a'", "1", "null", &nested(1000), "'{}'"), "54000", "nested deeper than 128"),
        (call("'a'", "1", "null", "'{}'", "'{\"a\": 1}'"), "22023", "must be an object of strings"),
        (call("'a'", "1", "null", "'{}'", "'[]'"), "22023", "must be an object of strings"),
        (call("'a'", "1", "null", "'{}'", "null"), "22023", "must be an object of strings"),
        (call("'a'", "1", "null", r#"'"\u0000"'"#, "'{}'"), "22P05", "unsupported Unicode"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_bad_call_is_refused_with_its_reason() -> Result<()> {
    let outbox = Test::new().await?;
    let mut tx = outbox.begin().await?;
    for (call, code, says) in bad_calls() {
        let shown = &call[..call.len().min(80)];
        let mut savepoint = tx.savepoint().await?;
        let failed = Postgres::run(savepoint.tx(), &call).await.expect_err(shown);
        savepoint.rollback().await?;
        let error = failed.as_database_error().expect(shown);
        assert_eq!(error.code().as_deref(), Some(code), "{shown}: {error}");
        assert!(error.message().contains(says), "{shown}: {error}");
    }
    let just_within = [
        "select outbox.emit('a', 1, repeat('k', 1024), to_jsonb(repeat('x', 1048574)))".to_owned(),
        format!(
            "select outbox.emit('a.b:c/d_e-1', 1, null, '{}{}')",
            "[".repeat(128),
            "]".repeat(128)
        ),
        "select outbox.emit('a', 1, '', '[[], {}, \"[[\"]', '{\"b\": \"c\"}')".to_owned(),
    ];
    for call in &just_within {
        Postgres::run(&mut tx, call).await?;
    }
    tx.commit().await?;
    assert_eq!(outbox.events(&EventFilter::all()).await?.len(), just_within.len());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_have_the_same_shard_however_they_are_emitted() -> Result<()> {
    let outbox = TestOutbox::<Sharded, Postgres>::new().await?;
    let keys = ["", "a", "42", "é🦀", "with 'quotes' and \\", "k".repeat(1024).as_str()]
        .map(str::to_owned);
    let mut tx = outbox.begin().await?;
    for key in &keys {
        outbox.emit(&mut tx, Ping::keyed(key, 1)).await?;
        sqlx::query("select outbox.emit('test.ping', 1, $1, $2)")
            .bind(key)
            .bind(json!({ "key": key, "n": 2 }))
            .execute(&mut *tx)
            .await?;
    }
    for _ in 0..10 {
        outbox.emit(&mut tx, Ping::new(3)).await?;
    }
    tx.commit().await?;
    let of_keys: i64 = sqlx::query_scalar(
        "select count(*) from (
             select key from outbox.event where key is not null
             group by key having count(*) = 2 and count(distinct key_hash) = 1) k",
    )
    .fetch_one(outbox.pool())
    .await?;
    assert_eq!(of_keys, keys.len() as i64);
    // Without a key, the id is what spreads them.
    let by_id: bool = sqlx::query_scalar(
        "select bool_and(key_hash = outbox.key_hash(id::text)) from outbox.event where key is null",
    )
    .fetch_one(outbox.pool())
    .await?;
    assert!(by_id);
    let probe = Probe::default();
    outbox.drain(probe.clone()).await?;
    let seen = probe.by_key("sharded");
    assert!(keys.iter().filter(|key| !key.is_empty()).all(|key| seen[key] == [1, 2]), "{seen:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_made_in_sql_are_of_version_7_and_of_now() -> Result<()> {
    let outbox = Test::new().await?;
    let ids: Vec<uuid::Uuid> =
        sqlx::query_scalar("select outbox.uuid_v7() from generate_series(1, 1000)")
            .fetch_all(outbox.pool())
            .await?;
    let now: f64 = sqlx::query_scalar("select extract(epoch from clock_timestamp())::float8")
        .fetch_one(outbox.pool())
        .await?;
    for id in &ids {
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
        let (seconds, _) = id.get_timestamp().expect("it holds the time").to_unix();
        assert!((seconds as f64 - now).abs() < 60.0, "{seconds} is not {now}");
    }
    let distinct: std::collections::HashSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), 1000);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_function_is_in_the_schema_of_choice() -> Result<()> {
    let outbox = TestOutbox::<Ordered, Postgres>::with(|builder| builder.namespace("shop")).await?;
    sqlx::raw_sql(r#"select shop.emit('test.ping', 1, 'a', '{"key": "a", "n": 1}')"#)
        .execute(outbox.pool())
        .await?;
    let elsewhere = sqlx::raw_sql("select outbox.emit('test.ping', 1, 'a', '{}')");
    assert!(elsewhere.execute(outbox.pool()).await.is_err());
    let probe = Probe::default();
    let same: Outbox<Ordered, Postgres> = outbox.outbox().clone();
    Worker::new(same, probe.clone()).drain().await?;
    assert_eq!(probe.numbers("ordered"), [1]);
    Ok(())
}
