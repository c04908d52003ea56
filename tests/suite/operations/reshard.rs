use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{ErrorKind, Replay, Skip};
use outbox_tests::{Act, Db, Ping, Probe, Running, wait};

use super::{emit, pings, sorted, until_all_run};
use crate::consumers::{OrderedTwice, Sharded};

crate::both! {
    more_and_fewer_shards_while_nothing_happens,
    the_number_of_shards_changes_under_load_in_order_and_nothing_comes_twice,
    a_change_that_nobody_is_there_for_waits_for_a_worker,
    a_slow_shard_is_waited_for,
    a_second_call_changes_the_number,
    what_has_a_row_goes_to_the_new_shards,
    a_replay_and_a_skip_in_the_middle_of_a_change,
    an_impossible_number_is_refused,
}

async fn until_shards<DB: Db>(outbox: &TestOutbox<Sharded, DB>, count: usize) {
    wait::until("the number of shards to change", || async {
        let shards = outbox.shards(Some("sharded")).await.expect("the shards");
        shards.len() == count
    })
    .await;
    until_all_run(outbox, "sharded").await;
}

async fn more_and_fewer_shards_while_nothing_happens<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Sharded, DB>::new().await?, Probe::default());
    let worker = Running::start(&outbox, probe.clone());
    until_all_run(&outbox, "sharded").await;
    let mut emitted = 0;
    for count in [9, 1, 1, 4] {
        outbox.reshard("sharded", count).await?;
        until_shards(&outbox, count as usize).await;
        emit(&outbox, pings(emitted..emitted + 30, 10)).await?;
        emitted += 30;
        probe.until_called("sharded", emitted as usize).await;
    }
    worker.stop().await?;
    assert_eq!(sorted(probe.numbers("sharded")), (0..emitted).collect::<Vec<_>>());
    let stats = outbox.stats().await?;
    assert_eq!((stats[0].handled, stats[0].lag_events, stats[0].shards), (emitted, 0, 4));
    Ok(())
}

async fn the_number_of_shards_changes_under_load_in_order_and_nothing_comes_twice<DB: Db>()
-> Result<()> {
    let (outbox, probe) = (TestOutbox::<Sharded, DB>::new().await?, Probe::default());
    let workers = [0, 1].map(|_| Running::start(&outbox, probe.clone()));
    until_all_run(&outbox, "sharded").await;
    let mut next = 0;
    for count in [3, 16, 2, 7] {
        for _ in 0..10 {
            emit(&outbox, pings(next..next + 20, 25)).await?;
            next += 20;
        }
        outbox.reshard("sharded", count).await?;
        for _ in 0..10 {
            emit(&outbox, pings(next..next + 20, 25)).await?;
            next += 20;
        }
        until_shards(&outbox, count as usize).await;
    }
    probe.until_called("sharded", next as usize).await;
    for worker in workers {
        worker.stop().await?;
    }
    let seen = sorted(probe.numbers("sharded"));
    let twice: Vec<_> = seen.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert_eq!(seen.len() as u64, next);
    for (_, numbers) in probe.by_key("sharded") {
        assert!(numbers.is_sorted(), "{numbers:?}");
    }
    assert!(!probe.keys_overlapped());
    Ok(())
}

async fn a_change_that_nobody_is_there_for_waits_for_a_worker<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Sharded, DB>::new().await?, Probe::default());
    emit(&outbox, pings(0..50, 10)).await?;
    outbox.drain(probe.clone()).await?;
    emit(&outbox, pings(50..100, 10)).await?;
    outbox.reshard("sharded", 6).await?;
    assert_eq!(outbox.stats().await?[0].shards, 4);
    emit(&outbox, pings(100..150, 10)).await?;
    let worker = Running::start(&outbox, probe.clone());
    probe.until_called("sharded", 150).await;
    until_shards(&outbox, 6).await;
    worker.stop().await?;
    assert_eq!(sorted(probe.numbers("sharded")), (0..150).collect::<Vec<_>>());
    Ok(())
}

async fn a_slow_shard_is_waited_for<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Sharded, DB>::new().await?;
    let probe = Probe::new(|_, ping, _| if ping.n == 5 { Act::Gate } else { Act::Succeed });
    let worker = Running::start(&outbox, probe.clone());
    emit(&outbox, pings(0..20, 20)).await?;
    probe.until_called("sharded", 20).await;
    outbox.reshard("sharded", 8).await?;
    wait::until("the other shards to stop", || async {
        let shards = outbox.shards(None).await.expect("the shards");
        shards.iter().filter(|shard| shard.drained).count() == 3
    })
    .await;
    assert_eq!(outbox.shards(None).await?.len(), 4);
    emit(&outbox, pings(20..40, 20)).await?;
    probe.open_gate();
    until_shards(&outbox, 8).await;
    probe.until_called("sharded", 40).await;
    worker.stop().await?;
    assert_eq!(sorted(probe.numbers("sharded")), (0..40).collect::<Vec<_>>());
    Ok(())
}

async fn a_second_call_changes_the_number<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Sharded, DB>::new().await?, Probe::default());
    outbox.drain(probe.clone()).await?;
    outbox.reshard("sharded", 6).await?;
    outbox.reshard("sharded", 2).await?;
    let worker = Running::start(&outbox, probe.clone());
    until_shards(&outbox, 2).await;
    worker.stop().await?;
    Ok(())
}

async fn what_has_a_row_goes_to_the_new_shards<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Sharded, DB>::new().await?;
    let probe = Probe::new(|_, ping, attempt| match (ping.n < 20, attempt) {
        (true, 1) => Act::Fail,
        _ => Act::Succeed,
    });
    emit(&outbox, pings(0..60, 20)).await?;
    outbox.drain(probe.clone()).await?;
    outbox.reshard("sharded", 7).await?;
    let worker = Running::start(&outbox, probe.clone());
    until_shards(&outbox, 7).await;
    outbox.advance(std::time::Duration::from_secs(60));
    probe.until_called("sharded", 80).await;
    worker.stop().await?;
    for (key, numbers) in probe.by_key("sharded") {
        let own: Vec<u64> = (0..60).filter(|n| format!("k{}", n % 20) == key).collect();
        assert_eq!(numbers, [&own[..1], &own[..]].concat(), "{key}");
    }
    Ok(())
}

async fn a_replay_and_a_skip_in_the_middle_of_a_change<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<OrderedTwice, DB>::new().await?;
    let probe = Probe::default();
    emit(&outbox, (0..20).map(|n| Ping::keyed(&format!("k{}", n % 7), n))).await?;
    outbox.drain(probe.clone()).await?;
    emit(&outbox, (20..40).map(|n| Ping::keyed(&format!("k{}", n % 7), n))).await?;
    outbox.reshard("one", 3).await?;
    outbox.reshard("two", 3).await?;
    assert_eq!(outbox.replay("one", &Replay::from_beginning()).await?, 20);
    assert_eq!(outbox.skip("two", &Skip::to_now()).await?, 20);
    probe.forget();
    let worker = Running::start(&outbox, probe.clone());
    for consumer in ["one", "two"] {
        wait::until("the number of shards to change", || async {
            outbox.shards(Some(consumer)).await.expect("the shards").len() == 3
        })
        .await;
    }
    emit(&outbox, (40..50).map(|n| Ping::keyed(&format!("k{}", n % 7), n))).await?;
    probe.until_called("one", 50).await;
    probe.until_called("two", 10).await;
    worker.stop().await?;
    assert_eq!(sorted(probe.numbers("one")), (0..50).collect::<Vec<_>>());
    assert_eq!(sorted(probe.numbers("two")), (40..50).collect::<Vec<_>>());
    Ok(())
}

async fn an_impossible_number_is_refused<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Sharded, DB>::new().await?;
    outbox.drain(Probe::default()).await?;
    for count in [0, 1_025] {
        let error = outbox.reshard("sharded", count).await.expect_err("impossible");
        assert_eq!(error.kind(), ErrorKind::InvalidOptions);
    }
    assert_eq!(outbox.reshard("nobody", 2).await.expect_err("none").kind(), ErrorKind::NotFound);
    Ok(())
}
