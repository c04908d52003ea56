//! Connections that break, fall silent, or are all taken.

use std::time::Duration;

use anyhow::Result;
use outbox_runtime::{Postgres, Sqlite};
use outbox_tests::proxy::{Network, Proxy};
use outbox_tests::victim::{LEASE, Orders};
use outbox_tests::{Db, wait};

use crate::explain;
use crate::load::Load;
use crate::scene::{Scene, all_shards, now};
use crate::verdict::Verdict;
use crate::victim::{Victim, stop_all};

/// How long the victims wait for an answer, and by when their work must have gone on.
const ANSWER: Duration = Duration::from_secs(2);
const LIMIT: Duration = Duration::from_secs(ANSWER.as_secs() + 5);
/// By when work must have gone on that was not handed back.
const LIMIT_OF_LEASES: Duration = Duration::from_secs(LEASE.as_secs() + 5);

async fn break_the_network(seed: u64, network: Network) -> Result<Verdict> {
    let mut random = fastrand::Rng::with_seed(seed);
    let scene = Scene::<Postgres>::new().await?;
    let proxy = Proxy::to(&scene.url).await;
    let orders =
        Orders { url: proxy.url(&scene.url), answer_timeout: Some(ANSWER), ..scene.orders() };
    let load = Load::start(&scene, seed);
    let victims = vec![Victim::spawn(&orders, &[]), Victim::spawn(&orders, &[])];
    scene.until_busy(random.usize(100..300)).await;

    proxy.set(network);
    // Sometimes shorter than a lease, sometimes longer.
    tokio::time::sleep(Duration::from_millis(random.u64(200..7_000))).await;
    proxy.set(Network::Passes);
    let back = now();
    let took = scene.until_resumed(back, &all_shards()).await;

    let book = load.stop().await;
    scene.until_done(2).await;
    stop_all(victims).await;
    let mut verdict = Verdict::reach(&scene, &book).await;
    // A lease may be lost after the network is back as well: connections that fell silent stay so.
    let bound = scene.in_flight_at_take_overs().await;
    verdict.bound = bound;
    verdict.resumed = Some((took, LIMIT));
    if verdict.duplicates > bound {
        explain::repeated(&scene, back).await;
    }
    Ok(verdict)
}

async fn reset(seed: u64) -> Result<Verdict> {
    break_the_network(seed, Network::Resets).await
}

async fn silence(seed: u64) -> Result<Verdict> {
    break_the_network(seed, Network::Silent).await
}

async fn one_way(seed: u64) -> Result<Verdict> {
    let lost = [Network::AnswersAreLost, Network::QuestionsAreLost];
    break_the_network(seed, lost[seed as usize % 2]).await
}

/// One of two workers is cut off for longer than its lease, and its handlers run on; the other one takes
/// over what it had, and then it is back.
async fn cut_one_off(seed: u64) -> Result<Verdict> {
    let mut random = fastrand::Rng::with_seed(seed);
    let scene = Scene::<Postgres>::new().await?;
    let proxy = Proxy::to(&scene.url).await;
    let orders =
        Orders { url: proxy.url(&scene.url), answer_timeout: Some(ANSWER), ..scene.orders() };
    let load = Load::start(&scene, seed);
    let victims = vec![Victim::spawn(&orders, &[]), scene.spawn()];
    let stale = victims[0].pid;
    scene.until_busy(random.usize(100..300)).await;
    wait::until("the one that will be cut off to work", || async {
        !scene.shards_of(stale).await.is_empty()
    })
    .await;

    let ways =
        [Network::Silent, Network::QuestionsAreLost, Network::AnswersAreLost, Network::Resets];
    let network = ways[seed as usize % ways.len()];
    proxy.set(network);
    let fault = now();
    let shards = scene.shards_of(stale).await;
    let unrecorded = scene.unrecorded(&shards).await;
    let took = scene.until_resumed_by(fault, &shards, |pid| pid != stale).await;
    // It may have handled what it had read, until its lease was over.
    let in_vain = scene.lines(|lines| {
        let outside = lines.iter().filter(|line| line.consumer == "outside" && line.pid == stale);
        outside.filter(|line| line.at > fault).count()
    });
    tokio::time::sleep(Duration::from_millis(random.u64(0..2_000))).await;
    proxy.set(Network::Passes);
    scene.until_busy(300).await;

    let book = load.stop().await;
    scene.until_done(2).await;
    stop_all(victims).await;
    let mut verdict = Verdict::reach(&scene, &book).await;
    verdict.bound = unrecorded + in_vain;
    verdict.resumed = Some((took, LIMIT_OF_LEASES));
    verdict.note = format!(
        "{network:?}: it had {} shards, and handled {in_vain} events after the fault",
        shards.len()
    );
    Ok(verdict)
}

/// Every connection of the worker's pool is in somebody else's hands for longer than its lease.
async fn exhaust_the_pool<DB: Db>(seed: u64) -> Result<Verdict> {
    let mut random = fastrand::Rng::with_seed(seed);
    let scene = Scene::<DB>::new().await?;
    let time = Duration::from_secs(if crate::is_long() { 30 } else { 4 });
    let lease = Duration::from_secs(2);
    let orders = Orders { hold: Some((6, time)), ..scene.orders().lease(lease) };
    let load = Load::start(&scene, seed);
    let mut victim = Victim::spawn(&orders, &[]);
    scene.until_busy(random.usize(100..300)).await;

    victim.cue().await;
    assert_eq!(victim.says().await, "6", "the connections are taken");
    assert_eq!(victim.says().await, "released");
    let took = scene.until_resumed(now(), &all_shards()).await;

    let book = load.stop().await;
    scene.until_done(2).await;
    victim.stop().await;
    let mut verdict = Verdict::reach(&scene, &book).await;
    verdict.resumed = Some((took, Duration::from_secs(5)));
    verdict.note = format!("for {time:?}");
    Ok(verdict)
}

crate::faults! {
    "connections reset", reset:
    chaos_connections_are_reset_on_postgres,
}

crate::faults! {
    "connections half-open", silence:
    chaos_connections_are_half_open_on_postgres,
}

crate::faults! {
    "one-way silence", one_way:
    chaos_connections_are_silent_one_way_on_postgres,
}

crate::faults! {
    "one of two workers cut off", cut_one_off:
    chaos_a_worker_is_cut_off_on_postgres,
}

crate::faults! {
    "pool exhausted", exhaust_the_pool:
    chaos_the_pool_is_exhausted_on_postgres on Postgres,
    chaos_the_pool_is_exhausted_on_sqlite on Sqlite,
}
