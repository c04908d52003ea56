use super::*;
use crate::store::EventFilter;

fn keyed(dedup_key: &str) -> NewEvent {
    NewEvent { dedup_key: Some(dedup_key.to_owned()), ..event("a", None) }
}

#[tokio::test]
async fn events_come_back_exactly_as_they_were_emitted() {
    let clock = Clock::manual(noon());
    let file = File::new();
    let store = file.store_at(&clock);
    store.migrate().await.unwrap();
    let payloads = [
        r#"{"big":9223372036854775807,"float":1.10,"text":"\ud83d\ude00 \"quoted\" \u0001 ü"}"#,
        r#""just text""#,
        "null",
        "18446744073709551615",
    ];
    let headers: Headers =
        serde_json::from_value(serde_json::json!({"tenant": "a\"'\\\u{1}ü😀"})).unwrap();
    let build = |payload: &&str| NewEvent {
        payload: serde_json::from_str(payload).unwrap(),
        headers: headers.clone(),
        ..event("a", Some("quote ' \" \\ ü 😀"))
    };
    let mut events: Vec<NewEvent> = payloads.iter().map(build).collect();
    let one = build(&payloads[0]);
    let ids: Vec<Uuid> = events.iter().chain([&one]).map(|event| event.id).collect();
    events[1].key = None;
    let mut emitted = emit(&store, events).await;
    emitted.extend(emit(&store, vec![one]).await);
    assert_eq!(emitted.iter().map(|event| event.id).collect::<Vec<_>>(), ids);

    let page =
        store.read_page(&Line::default(), &after(0), None, &Slice::whole("a"), 100).await.unwrap();
    assert_eq!(page.events.iter().map(|event| event.id).collect::<Vec<_>>(), ids);
    for (event, payload) in page.events.iter().zip(payloads.iter().chain([&payloads[0]])) {
        assert_eq!(event.payload.get(), *payload);
        assert_eq!(event.headers, headers);
        assert_eq!(event.created_at, noon());
    }
    assert_eq!(page.events[0].key.as_deref(), Some("quote ' \" \\ ü 😀"));
    assert_eq!(page.events[1].key, None);
    assert_eq!(page.now, noon());
    let listed = store.events(&EventFilter::all().id(ids[1])).await.unwrap();
    assert_eq!(listed[0].position, emitted[1].position);
}

#[tokio::test]
async fn a_thousand_events_are_appended_in_their_order() {
    let (_file, store) = migrated().await;
    let events: Vec<_> = (0..1_000).map(|i| event("a", Some(&i.to_string()))).collect();
    let ids: Vec<Uuid> = events.iter().map(|event| event.id).collect();
    let emitted = emit(&store, events).await;
    assert!(emitted.iter().map(|event| event.id).eq(ids));
    assert!(emitted.iter().map(|event| event.position).eq(1..=1_000));
}

#[tokio::test]
async fn pages_follow_one_another_until_the_reader_has_caught_up() {
    let (_file, store) = migrated().await;
    for _ in 0..5 {
        emit(&store, vec![event("a", None)]).await;
        emit(&store, vec![event("b", None)]).await;
    }
    let mut progress = after(0);
    let mut seen = Vec::new();
    loop {
        let page =
            store.read(&Line::default(), &progress, None, &Slice::whole("b"), 2).await.unwrap();
        assert_eq!(page.start, progress);
        seen.extend(page.events.iter().map(|event| event.position));
        progress = page.end;
        if page.caught_up {
            break;
        }
    }
    assert_eq!(seen, [2, 4, 6, 8, 10]);
    assert_eq!(progress, after(10));
}

#[tokio::test]
async fn a_reader_of_a_rare_event_looks_at_so_many_positions_and_no_more() {
    let (_file, store) = migrated().await;
    emit(&store, (0..10_500).map(|_| event("a", None)).collect()).await;
    emit(&store, vec![event("rare", None)]).await;
    let page =
        store.read(&Line::default(), &after(0), None, &Slice::whole("rare"), 10).await.unwrap();
    assert_eq!((page.events.len(), page.end.clone(), page.caught_up), (0, after(10_000), false));
    let page =
        store.read(&Line::default(), &page.end, None, &Slice::whole("rare"), 10).await.unwrap();
    assert_eq!((page.events.len(), page.end, page.caught_up), (1, after(10_501), true));

    // What retention has deleted costs nothing.
    sqlx::query("delete from outbox_event where position <= 10300")
        .execute(store.pool())
        .await
        .unwrap();
    let page =
        store.read(&Line::default(), &after(0), None, &Slice::whole("rare"), 10).await.unwrap();
    assert_eq!((page.events.len(), page.end, page.caught_up), (1, after(10_501), true));
}

#[tokio::test]
async fn positions_of_deleted_events_do_not_come_back() {
    let (_file, store) = migrated().await;
    emit(&store, vec![event("a", None), event("a", None)]).await;
    sqlx::query("delete from outbox_event").execute(store.pool()).await.unwrap();
    let mut probe = after(2);
    let page = store.read(&Line::default(), &after(2), None, &Slice::whole("a"), 10).await.unwrap();
    assert_eq!((page.events.len(), page.end, page.caught_up), (0, after(2), true));
    assert_eq!(store.probe(&mut probe, &[]).await.unwrap().names, Some(vec![]));
    assert_eq!(probe, after(2));
    let emitted = emit(&store, vec![event("a", None)]).await;
    assert_eq!(emitted[0].position, 3);
    assert_eq!(
        store
            .read(&Line::default(), &after(2), None, &Slice::whole("a"), 10)
            .await
            .unwrap()
            .events
            .len(),
        1
    );
}

#[tokio::test]
async fn each_event_is_in_exactly_one_shard_and_one_key_in_one() {
    let (_file, store) = migrated().await;
    let keys: Vec<String> = (0..200).map(|i| format!("key {}", i % 50)).collect();
    emit(&store, keys.iter().map(|key| event("a", Some(key))).collect()).await;
    let mut shard_of = std::collections::HashMap::new();
    let mut count = 0;
    for shard in 0..4 {
        let slice = Slice { shard, shards: 4, ..Slice::whole("a") };
        for event in
            store.read(&Line::default(), &after(0), None, &slice, 1_000).await.unwrap().events
        {
            count += 1;
            assert_eq!(*shard_of.entry(event.key.clone()).or_insert(shard), shard);
        }
    }
    assert_eq!((count, shard_of.len()), (200, 50));
}

#[tokio::test]
async fn a_start_at_a_time_skips_what_was_appended_before() {
    let clock = Clock::manual(noon());
    let file = File::new();
    let store = file.store_at(&clock);
    store.migrate().await.unwrap();
    emit(&store, vec![event("a", None)]).await;
    clock.advance(Duration::from_secs(1));
    emit(&store, vec![event("a", None)]).await;
    let slice = Slice { not_before: Some(noon() + Duration::from_secs(1)), ..Slice::whole("a") };
    let page = store.read(&Line::default(), &after(0), None, &slice, 10).await.unwrap();
    assert_eq!(page.events.iter().map(|event| event.position).collect::<Vec<_>>(), [2]);
}

#[tokio::test]
async fn the_probe_names_what_was_committed_and_gives_up_on_many() {
    let (_file, store) = migrated().await;
    let mut progress = store.progress_now().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    store.append(&mut tx, vec![event("b", None), event("b", None)], TTL).await.unwrap();
    store.append(&mut tx, vec![event("a", None)], TTL).await.unwrap();
    assert_eq!(store.probe(&mut progress, &[]).await.unwrap().names, Some(vec![]));
    tx.commit().await.unwrap();
    let mut names = store.probe(&mut progress, &[]).await.unwrap().names.unwrap();
    names.sort();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(store.probe(&mut progress, &[]).await.unwrap().names, Some(vec![]));
    emit(&store, (0..1_500).map(|_| event("a", None)).collect()).await;
    assert_eq!(store.probe(&mut progress, &[]).await.unwrap().names, None);
    assert_eq!(progress, after(1_503));
}

#[tokio::test]
async fn a_dedup_key_is_taken_until_it_expires() {
    let clock = Clock::manual(noon());
    let file = File::new();
    let store = file.store_at(&clock);
    store.migrate().await.unwrap();
    let first = emit(&store, vec![keyed("k")]).await[0];
    assert!(!first.duplicate);
    clock.advance(TTL);
    let second = emit(&store, vec![keyed("k"), keyed("other")]).await;
    assert_eq!(second[0], Emitted { duplicate: true, ..first });
    assert!(!second[1].duplicate);
    let other_name = NewEvent { name: "b", ..keyed("k") };
    assert!(!emit(&store, vec![other_name]).await[0].duplicate);

    clock.advance(Duration::from_micros(1));
    let third = emit(&store, vec![keyed("k")]).await[0];
    assert!(!third.duplicate);
    assert_ne!(third.id, first.id);
    assert_eq!(emit(&store, vec![keyed("k")]).await[0], Emitted { duplicate: true, ..third });
    assert_eq!(store.events(&EventFilter::all()).await.unwrap().len(), 4);

    clock.advance(TTL * 2);
    store.trim_dedup().await.unwrap();
    let left: i64 = sqlx::query_scalar("select count(*) from outbox_dedup")
        .fetch_one(store.pool())
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_emits_with_one_dedup_key_at_once_one_writes() {
    let (file, _store) = migrated().await;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let store = file.store();
            tokio::spawn(async move { emit(&store, vec![keyed("k")]).await[0] })
        })
        .collect();
    let mut emitted = Vec::new();
    for task in tasks {
        emitted.push(task.await.unwrap());
    }
    assert_eq!(emitted.iter().filter(|event| !event.duplicate).count(), 1);
    assert!(emitted.iter().all(|event| event.id == emitted[0].id));
}

#[tokio::test]
async fn events_are_listed_by_whatever_is_asked_for() {
    let (_file, store) = migrated().await;
    let cause = emit(&store, vec![event("a", Some("k"))]).await[0].id;
    let headers: Headers =
        serde_json::from_value(serde_json::json!({"causation_id": cause})).unwrap();
    for key in ["k", "l"] {
        emit(&store, vec![NewEvent { headers: headers.clone(), ..event("b", Some(key)) }]).await;
    }
    emit(&store, vec![event("b", None)]).await;
    let all = EventFilter::all;
    for (filter, expected) in [
        (all(), &[1, 2, 3, 4][..]),
        (all().limit(2), &[1, 2]),
        (all().after(1).limit(2), &[2, 3]),
        (all().name("b").key("k"), &[2]),
        (all().id(cause), &[1]),
        (all().id(cause).name("b"), &[]),
        (all().id(cause).caused_by(cause), &[]),
        (all().caused_by(cause), &[2, 3]),
        (all().caused_by(cause).after(2), &[3]),
        (all().caused_by(cause).key("k"), &[2]),
        (all().caused_by(cause).limit(1), &[2]),
    ] {
        let found = store.events(&filter).await.unwrap();
        let found: Vec<_> = found.iter().map(|event| event.position).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

/// SQLite would compile the statement anew whenever one is bound: see `read.sql`.
#[test]
fn the_planner_sees_no_parameter_of_a_read() {
    let sql = include_str!("../sql/read.sql");
    let code: String = sql.lines().filter(|line| !line.starts_with("--")).collect();
    let parameters: Vec<usize> = code.match_indices('?').map(|(at, _)| at).collect();
    assert!(parameters.len() >= 8);
    for at in parameters {
        let hidden = code[..at].ends_with("(select ") && code[at + 2..].starts_with(')');
        assert!(hidden, "a parameter that stands by itself: {}", &code[at..at + 2]);
    }
}
