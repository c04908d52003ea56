//! `kill -9` of the only worker in the middle of a batch, again and again: nothing is lost, what
//! comes again is no more than what was in flight, and what works in the database is exact.

use std::collections::HashSet;

use anyhow::Result;
use outbox_runtime::{Postgres, Sqlite};
use outbox_tests::victim::Line;
use outbox_tests::{Db, Ping};

use crate::load::Book;
use crate::scene::Scene;
use crate::verdict::Verdict;

const KEYS: u64 = 40;
const EVENTS: u64 = 2_500;
const KILLS: u32 = 4;

async fn kill_again_and_again<DB: Db>(seed: u64) -> Result<Verdict> {
    let mut random = fastrand::Rng::with_seed(seed);
    let scene = Scene::<DB>::new().await?;
    let pings: Vec<Ping> =
        (0..EVENTS).map(|n| Ping::keyed(&format!("k{}", random.u64(0..KEYS)), n)).collect();
    let book = Book { committed: (0..EVENTS).collect(), ..Book::default() };
    for chunk in pings.chunks(1_000) {
        scene.emit(chunk.to_vec()).await?;
    }
    let (mut bound, mut written, mut recorded, mut within_a_life) = (0, 0, 0, 0);
    for _ in 0..KILLS {
        let victim = scene.spawn_short_lived();
        let enough = written + random.usize(1..600);
        scene
            .until("the victim to work", |lines| {
                lines.len() >= enough || distinct(lines) == pings.len()
            })
            .await;
        victim.kill().await;
        let delivered = scene.delivered("outside");
        let now_recorded = scene.recorded("outside").await;
        bound += (delivered - written).saturating_sub(now_recorded - recorded);
        within_a_life += scene.lines(|lines| repeated(&lines[written..]));
        (written, recorded) = (delivered, now_recorded);
    }
    let victim = scene.spawn_short_lived();
    scene.until_done(2).await;
    victim.stop().await;

    within_a_life += scene.lines(|lines| repeated(&lines[written..]));
    assert_eq!(within_a_life, 0, "seed {seed}: a worker repeats what it did itself");
    Ok(Verdict { bound, ..Verdict::reach(&scene, &book).await })
}

fn repeated(lines: &[Line]) -> usize {
    lines.len() - distinct(lines)
}

fn distinct(lines: &[Line]) -> usize {
    lines.iter().map(|line| line.n).collect::<HashSet<_>>().len()
}

crate::faults! {
    "kill -9 of the only worker, four times", kill_again_and_again:
    chaos_kill_in_the_middle_of_a_batch_on_postgres on Postgres,
    chaos_kill_in_the_middle_of_a_batch_on_sqlite on Sqlite,
}
