//! What the command `outbox` does in a database, as people run it: another process, beside a worker.

mod shop;

use anyhow::Result;
use outbox_runtime::testing::TestDatabase;
use outbox_runtime::{Emit, Sqlite};
use outbox_tests::{Act, Db, Ping};
use serde_json::json;

use shop::Shop;

outbox_tests::both! {
    nothing_works_before_the_tables_are_made,
    consumers_are_listed_with_what_they_have_to_do,
    a_paused_consumer_stops_until_it_is_resumed,
    a_paused_key_lets_others_go_on,
    events_come_again,
    events_are_skipped,
    dead_letters_are_shown_and_redriven,
    dead_letters_are_discarded_and_none_by_mistake,
    an_event_is_shown_with_what_it_caused,
    a_consumer_goes_over_to_more_shards,
    a_consumer_is_retired_when_nobody_runs_it,
    long_lists_say_that_there_is_more,
    another_schema_is_another_outbox,
}

async fn nothing_works_before_the_tables_are_made<DB: Db>() -> Result<()> {
    let shop = Shop::<DB>::without_tables().await?;
    let refused = shop.outbox(&["consumers", "list"]).refused();
    assert!(refused.contains("call `Outbox::migrate()`"), "{refused}");
    let made = "the tables are there, and up to date\n";
    assert_eq!(shop.outbox(&["migrate"]).said(), made);
    assert_eq!(shop.outbox(&["migrate"]).said(), made);
    assert_eq!(shop.outbox(&["consumers", "list", "--format", "json"]).json(), json!([]));
    Ok(())
}

async fn consumers_are_listed_with_what_they_have_to_do<DB: Db>() -> Result<()> {
    let shop = Shop::<DB>::new().await?;
    let worker = shop.worker(|_, _, _| Act::Succeed);
    shop.emit([Ping::keyed("a", 1), Ping::keyed("b", 2)]).await?;
    shop.probe.until_called("print", 2).await;
    let workers = shop.outbox(&["workers", "--format", "json"]).json();
    assert_eq!((&workers[0]["state"], &workers[0]["shards"]), (&json!("alive"), &json!(2)));
    let list = shop.outbox(&["consumers", "list", "--format", "json"]).json();
    assert_eq!((&list[0]["state"], &list[0]["workers"]), (&json!("running"), &json!(1)));
    worker.stop().await?;
    shop.emit([Ping::keyed("a", 3)]).await?;

    let list = shop.outbox(&["consumers", "list", "--format", "json"]).json();
    assert_eq!(list[0]["consumer"], "print");
    assert_eq!(list[0]["event"], "test.ping");
    assert_eq!((&list[0]["handled"], &list[0]["lag_events"]), (&json!(2), &json!(1)));
    assert!(list[0]["oldest_undelivered_seconds"].as_f64().is_some_and(|age| age >= 0.0));
    let list = shop.outbox(&["consumers", "list"]).said();
    let rows: Vec<Vec<&str>> = list.lines().map(|row| row.split_whitespace().collect()).collect();
    assert_eq!(rows[0][..6], ["CONSUMER", "EVENT", "STATE", "SHARDS", "WORKERS", "LAG"]);
    assert_eq!(rows[1][..7], ["print", "test.ping", "no", "worker", "2", "0", "1"]);

    let shards = shop.outbox(&["consumers", "shards", "print", "--format", "json"]).json();
    assert_eq!(shards.as_array().map(Vec::len), Some(2));
    assert_eq!(shards[0]["worker"], json!(null));
    let workers = shop.outbox(&["workers", "--format", "json"]).json();
    assert_eq!(workers, json!([]), "it said goodbye");
    let rates =
        shop.outbox(&["consumers", "rates", "print", "--back", "1d", "--step", "1h"]).said();
    assert!(rates.starts_with("FROM"), "{rates}");
    Ok(())
}

async fn a_paused_consumer_stops_until_it_is_resumed<DB: Db>() -> Result<()> {
    let shop = Shop::<DB>::new().await?;
    let worker = shop.worker(|_, _, _| Act::Succeed);
    shop.emit([Ping::new(1)]).await?;
    shop.probe.until_called("print", 1).await;

    assert_eq!(shop.outbox(&["consumers", "pause", "print"]).said(), "print is paused\n");
    shop.until_nobody_runs_it().await;
    shop.emit([Ping::new(2)]).await?;
    let list = shop.outbox(&["consumers", "list", "--format", "json"]).json();
    assert_eq!((&list[0]["paused"], &list[0]["lag_events"]), (&json!(true), &json!(1)));

    assert_eq!(shop.outbox(&["consumers", "resume", "print"]).said(), "print goes on\n");
    shop.probe.until_called("print", 2).await;
    assert_eq!(shop.probe.numbers("print"), [1, 2]);
    worker.stop().await?;
    let refused = shop.outbox(&["consumers", "pause", "prnt"]).refused();
    assert!(refused.contains("there is no consumer `prnt`"), "{refused}");
    Ok(())
}

async fn a_paused_key_lets_others_go_on<DB: Db>() -> Result<()> {
    let shop = Shop::<DB>::new().await?;
    let worker = shop.worker(|_, _, _| Act::Succeed);
    shop.emit([Ping::keyed("a", 1)]).await?;
    shop.probe.until_called("print", 1).await;
    // A worker that runs may take in an event of the key before it notices.
    worker.stop().await?;

    let paused = shop.outbox(&["consumers", "pause", "print", "--key", "a"]).said();
    assert_eq!(paused, "key a of print is paused\n");
    shop.emit([Ping::keyed("a", 2), Ping::keyed("b", 3)]).await?;
    let worker = shop.worker(|_, _, _| Act::Succeed);
    shop.probe.until("the other key", |seen| seen.iter().any(|one| one.n == 3)).await;
    let parked = || async {
        let list = shop.outbox(&["deliveries", "list", "--state", "parked", "--format", "json"]);
        list.json().as_array().is_some_and(|list| list.len() == 1)
    };
    outbox_tests::wait::until("the event to be parked", parked).await;

    let goes_on = shop.outbox(&["consumers", "resume", "print", "--key", "a"]).said();
    assert_eq!(goes_on, "key a of print goes on\n");
    shop.probe.until_called("print", 3).await;
    worker.stop().await?;
    Ok(())
}

async fn events_come_again<DB: Db>() -> Result<()> {
    let shop = Shop::<DB>::new().await?;
    let worker = shop.worker(|_, _, _| Act::Succeed);
    let emitted =
        shop.emit([Ping::keyed("a", 1), Ping::keyed("b", 2), Ping::keyed("a", 3)]).await?;
    shop.probe.until_called("print", 3).await;
    worker.stop().await?;

    let replay =
        |options: &[&str]| shop.outbox(&[&["consumers", "replay", "print"], options].concat());
    let dry = replay(&["--from-beginning", "--dry-run"]).said();
    assert_eq!(dry, "to come again: 3 events; nothing was changed\n");
    let (position, id) = (emitted[1].position.to_string(), emitted[2].id.to_string());
    for (options, count) in [
        (&["--from-position", &position, "--dry-run"][..], 2),
        (&["--from-event", &id, "--dry-run"], 1),
        (&["--from-time", "1h", "--dry-run"], 3),
        (&["--from-time", "2020-01-01T00:00:00Z", "--until-time", "1h", "--dry-run"], 0),
        (&["--from-beginning", "--until-position", &position, "--dry-run"], 2),
        (&["--from-beginning", "--event", &id, "--rate", "100", "--dry-run"], 1),
        (&["--from-beginning", "--key", "a"], 2),
    ] {
        let said = replay(options).said();
        assert!(said.starts_with(&format!("to come again: {count} event")), "{options:?}: {said}");
    }
    let worker = shop.worker(|_, _, _| Act::Succeed);
    shop.probe.until_called("print", 5).await;
    worker.stop().await?;
    assert_eq!(shop.probe.by_key("print")["a"], [1, 3, 1, 3]);

    let refused = replay(&[]).refused();
    assert!(refused.contains("--from-beginning"), "{refused}");
    let refused = replay(&["--from-time", "yesterday"]).refused();
    assert!(refused.contains("or how long ago it was, such as `2h`"), "{refused}");
    let refused = replay(&["--from-beginning", "--rate", "0"]).refused();
    assert!(refused.contains("never comes to an end"), "{refused}");
    Ok(())
}

async fn events_are_skipped<DB: Db>() -> Result<()> {
    let shop = Shop::<DB>::new().await?;
    shop.worker(|_, _, _| Act::Succeed).stop().await?;
    let emitted = shop.emit((1..=4).map(Ping::new)).await?;
    let skip = |options: &[&str]| shop.outbox(&[&["consumers", "skip", "print"], options].concat());
    let id = emitted[2].id.to_string();
    assert_eq!(skip(&["--event", &id]).said(), "1 event skipped\n");
    let position = emitted[1].position.to_string();
    assert_eq!(skip(&["--to-position", &position]).said(), "1 event skipped\n");
    let worker = shop.worker(|_, _, _| Act::Succeed);
    shop.probe.until_called("print", 2).await;
    worker.stop().await?;
    let mut numbers = shop.probe.numbers("print");
    numbers.sort_unstable();
    assert_eq!(numbers, [2, 4]);
    shop.emit([Ping::new(5)]).await?;
    assert_eq!(skip(&["--to-now"]).said(), "1 event skipped\n");
    Ok(())
}

async fn dead_letters_are_shown_and_redriven<DB: Db>() -> Result<()> {
    let shop = Shop::<DB>::new().await?;
    let worker = shop.worker(|_, _, _| Act::FailInChain);
    let emitted = shop.emit([Ping::keyed("a", 1)]).await?;
    shop.until_dead(1).await;

    let list = shop.outbox(&["deliveries", "list", "--state", "dead"]).said();
    assert!(list.contains("cannot answer"), "{list}");
    let list =
        shop.outbox(&["deliveries", "list", "--consumer", "print", "--format", "json"]).json();
    assert_eq!(list[0]["event"]["id"], emitted[0].id.to_string());
    assert_eq!(list[0]["errors"][0]["message"], "cannot answer");
    let shown = shop.outbox(&["events", "show", &emitted[0].id.to_string()]).said();
    assert!(shown.contains("event: test.ping version 1\nkey: a\n"), "{shown}");
    let payload = shown.lines().find_map(|line| line.strip_prefix("payload: ")).expect("a payload");
    assert_eq!(serde_json::from_str::<Ping>(payload)?, Ping::keyed("a", 1));
    let failure = "error: cannot answer: cannot write the receipt: the disk is full\n";
    assert!(shown.contains("print, attempt 1 at ") && shown.contains(failure), "{shown}");

    shop.probe.rescript(|_, _, _| Act::Succeed);
    let redriven = shop.outbox(&["deliveries", "redrive", "--consumer", "print"]).said();
    assert_eq!(redriven, "given another chance: 1 dead letter\n");
    shop.probe.until_called("print", 2).await;
    worker.stop().await?;
    assert_eq!(shop.outbox(&["deliveries", "list", "--format", "json"]).json(), json!([]));
    Ok(())
}

async fn dead_letters_are_discarded_and_none_by_mistake<DB: Db>() -> Result<()> {
    let shop = Shop::<DB>::new().await?;
    let worker = shop.worker(|_, _, _| Act::Permanent);
    shop.emit([Ping::keyed("a", 1), Ping::keyed("b", 2), Ping::keyed("c", 3)]).await?;
    shop.until_dead(3).await;
    worker.stop().await?;
    let discard = |options: &[&str]| shop.outbox(&[&["deliveries", "discard"], options].concat());
    let refused = discard(&[]).refused();
    assert!(refused.contains("--all"), "{refused}");
    let refused = discard(&["--all", "--key", "a"]).refused();
    assert!(refused.contains("cannot be used with"), "{refused}");
    assert_eq!(discard(&["--consumer", "print", "--key", "a"]).said(), "1 dead letter discarded\n");
    assert_eq!(discard(&["--all", "--limit", "1"]).said(), "1 dead letter discarded\n");
    assert_eq!(discard(&["--all"]).said(), "1 dead letter discarded\n");
    Ok(())
}

async fn an_event_is_shown_with_what_it_caused<DB: Db>() -> Result<()> {
    let shop = Shop::<DB>::new().await?;
    let emitted = shop.emit([Ping::keyed("a", 1), Ping::keyed("b", 2)]).await?;
    let list = shop.outbox(&["events", "list", "--key", "b", "--format", "json"]).json();
    assert_eq!(list.as_array().map(Vec::len), Some(1));
    assert_eq!(list[0]["payload"], json!({ "key": "b", "n": 2 }));
    let because = Emit::new(Ping::keyed("c", 3)).header("causation_id", emitted[0].id.to_string());
    let caused = &shop.emit([because]).await?[0];
    let shown = shop.outbox(&["events", "show", &emitted[0].id.to_string()]).said();
    let (_, below) = shown.split_once("it caused:\n").expect("what it caused");
    assert!(below.contains(&caused.id.to_string()), "{shown}");
    let shown = shop.outbox(&["events", "show", &caused.id.to_string(), "--format", "json"]).json();
    assert_eq!(shown["headers"]["causation_id"], emitted[0].id.to_string(), "{shown}");
    let unknown = uuid::Uuid::now_v7().to_string();
    let refused = shop.outbox(&["events", "show", &unknown]).refused();
    assert_eq!(refused, format!("error: event {unknown} is not in the log\n"));
    Ok(())
}

async fn a_consumer_goes_over_to_more_shards<DB: Db>() -> Result<()> {
    let shop = Shop::<DB>::new().await?;
    let worker = shop.worker(|_, _, _| Act::Succeed);
    shop.emit([Ping::keyed("a", 1)]).await?;
    shop.probe.until_called("print", 1).await;
    let said = shop.outbox(&["consumers", "reshard", "print", "5"]).said();
    assert!(said.starts_with("print is going over to 5 shards:"), "{said}");
    let done = || async {
        let shards = shop.outbox(&["consumers", "shards", "--format", "json"]).json();
        shards.as_array().is_some_and(|shards| {
            shards.len() == 5 && shards.iter().all(|shard| shard["worker"].is_string())
        })
    };
    outbox_tests::wait::until("the new shards to be run", done).await;
    worker.stop().await?;
    let refused = shop.outbox(&["consumers", "reshard", "print", "0"]).refused();
    assert!(refused.contains("1,024") || refused.contains("1024"), "{refused}");
    Ok(())
}

async fn a_consumer_is_retired_when_nobody_runs_it<DB: Db>() -> Result<()> {
    let shop = Shop::<DB>::new().await?;
    let worker = shop.worker(|_, _, _| Act::Permanent);
    shop.emit([Ping::new(1)]).await?;
    shop.until_dead(1).await;
    let refused = shop.outbox(&["consumers", "retire", "print"]).refused();
    assert!(refused.contains("workers still run"), "{refused}");
    worker.stop().await?;
    let said = shop.outbox(&["consumers", "retire", "print"]).said();
    assert_eq!(said, "print is retired; deliveries that went with it: 1\n");
    assert_eq!(shop.outbox(&["consumers", "list", "--format", "json"]).json(), json!([]));
    Ok(())
}

async fn long_lists_say_that_there_is_more<DB: Db>() -> Result<()> {
    let shop = Shop::<DB>::new().await?;
    let emitted = shop.emit((1..=5).map(Ping::new)).await?;
    let said = shop.outbox(&["events", "list", "--limit", "3"]).said();
    let after = emitted[2].position;
    let expected = format!("these are the first 3: `--after {after}` lists the next\n");
    assert!(said.ends_with(&expected), "{said}");
    let rest =
        shop.outbox(&["events", "list", "--after", &after.to_string(), "--limit", "3"]).said();
    assert_eq!(rest.lines().count(), 3, "{rest}");
    Ok(())
}

async fn another_schema_is_another_outbox<DB: Db>() -> Result<()> {
    let shop = Shop::<DB>::new().await?;
    shop.emit([Ping::new(1)]).await?;
    shop.outbox(&["migrate", "--schema", "billing"]).said();
    let list = ["events", "list", "--schema", "billing", "--format", "json"];
    assert_eq!(shop.outbox(&list).json(), json!([]));
    let refused = shop.outbox(&["events", "list", "--schema", "a b"]).refused();
    assert!(refused.contains("--schema"), "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_there_is_told() {
    let run = |url: &str| shop::run(url, &["consumers", "list"]).refused();
    let refused = run("mysql://localhost/shop");
    assert!(refused.contains("begins with `postgres://` or `sqlite:`"), "{refused}");
    let refused = run("sqlite:/nowhere/shop.db");
    assert!(refused.starts_with("error: cannot connect to the database: "), "{refused}");
    let refused = run("postgres://postgres:secret@127.0.0.1:1/shop");
    assert!(refused.starts_with("error: cannot connect to the database: "), "{refused}");
    assert!(!refused.contains("secret"), "{refused}");
}

#[tokio::test]
async fn the_url_may_come_from_the_environment() -> Result<()> {
    let database = TestDatabase::<Sqlite>::create().await?;
    let command = std::process::Command::new(env!("CARGO_BIN_EXE_operate"))
        .arg("migrate")
        .env("DATABASE_URL", format!("sqlite:{}", database.url()))
        .output()?;
    assert!(command.status.success());
    Ok(())
}
