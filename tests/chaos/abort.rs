//! An event that aborts the process is found, and given up after its attempts.

use outbox_runtime::{DeliveryFilter, DeliveryState, Postgres, Result, Sqlite};
use outbox_tests::{Db, Ping};

use crate::scene::Scene;

/// The victim aborts on this one.
const POISON: u64 = 666_666;

async fn play<DB: Db>() -> Result<()> {
    let scene = Scene::<DB>::new().await?;
    let mut pings: Vec<Ping> = (0..50).map(|n| Ping::keyed(&format!("k{}", n % 7), n)).collect();
    pings.insert(20, Ping::keyed("poison", POISON));
    scene.emit(pings).await?;

    let mut deaths = 0;
    let dead = DeliveryFilter::all().consumer("outside").state(DeliveryState::Dead);
    let letter = loop {
        let mut victim = scene.spawn_short_lived();
        tokio::select! {
            died = victim.died() => assert!(died),
            () = scene.until_done(2) => {
                victim.stop().await;
                break scene.outbox.deliveries(&dead).await?.pop().expect("a dead letter");
            }
        }
        deaths += 1;
        assert!(deaths <= 10, "the poison is found in the end");
    };

    assert_eq!(letter.event.key.as_deref(), Some("poison"));
    // Nothing that was only beside it when the process died, in whatever shard.
    let dead = DeliveryFilter::all().state(DeliveryState::Dead);
    assert_eq!(scene.outbox.deliveries(&dead).await?.len(), 1);
    let kinds: Vec<_> = letter.errors.iter().map(|error| error.kind.as_str()).collect();
    assert_eq!(kinds, ["crash", "crash", "crash"]);
    // The first death was not expected, so its attempt was not recorded.
    assert_eq!(deaths, 4);
    let mut delivered: Vec<u64> = scene.lines(|lines| lines.iter().map(|line| line.n).collect());
    delivered.sort_unstable();
    delivered.dedup();
    assert_eq!(delivered, (0..50).collect::<Vec<_>>());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_an_event_that_aborts_the_process_is_dead_lettered_on_postgres() -> Result<()> {
    play::<Postgres>().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_an_event_that_aborts_the_process_is_dead_lettered_on_sqlite() -> Result<()> {
    play::<Sqlite>().await
}
