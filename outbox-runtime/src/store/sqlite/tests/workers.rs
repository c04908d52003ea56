use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::bell::Bell;
use crate::consumer::{
    Bound, ConsumerDef, ConsumerError, ConsumerOptions, Context, Delivery, HandleEach, Outcome,
};
use crate::event::Event;
use crate::worker::{Tally, WorkerOptions, run_consumers};

const PER_KEY: i64 = 40;

#[derive(Serialize, Deserialize, JsonSchema)]
struct Number(i64);

impl Event for Number {
    const NAME: &'static str = "number";
    const VERSION: u32 = 1;
}

/// What was handled, in its order; tells when there is more.
#[derive(Default)]
struct Received {
    list: Mutex<Vec<(String, i64)>>,
    more: Notify,
}

struct Collect;

impl ConsumerDef for Collect {
    type Event = Number;
    const OPTIONS: ConsumerOptions =
        ConsumerOptions::new("collect").ordered().shards(4).start(Start::Beginning);
}

impl HandleEach<Arc<Received>> for Collect {
    async fn handle(
        delivery: Delivery<Number>,
        received: &Arc<Received>,
        _context: Context,
    ) -> Result<Outcome, ConsumerError> {
        let key = delivery.key().unwrap_or("none").to_owned();
        received.list.lock().unwrap().push((key, delivery.0));
        received.more.notify_one();
        Ok(().into())
    }
}

impl Received {
    async fn wait_for(&self, count: usize) {
        let enough = async {
            while self.list.lock().unwrap().len() < count {
                self.more.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), enough).await.expect("everything arrives");
    }
}

/// A worker as another process would run it: with connections and a bell of its own.
fn worker(
    file: &File,
    received: &Arc<Received>,
    stop: &CancellationToken,
) -> JoinHandle<crate::Result<Tally>> {
    let bound = Bound::each::<Collect, Arc<Received>>(&Arc::new(Arc::clone(received)));
    let (store, stop) = (file.store(), stop.clone());
    // Free leases are looked for three times in the length of one.
    let lease = Duration::from_secs(3);
    let options = WorkerOptions { page_size: 7, lease, ..WorkerOptions::default() };
    tokio::spawn(run_consumers(store, Bell::default(), options, vec![bound], stop))
}

/// Appends 1, 2, 3... under a key, each in a transaction; every third one is rolled back first.
async fn count_up(store: SqliteStore, key: String) {
    for number in 1..=PER_KEY {
        for commit in [number % 3 != 0, true] {
            let payload = serde_json::value::to_raw_value(&Number(number)).unwrap();
            let event = NewEvent { payload, ..event(Number::NAME, Some(&key)) };
            let mut tx = store.begin().await.unwrap();
            store.append(&mut tx, vec![event], TTL).await.unwrap();
            if commit {
                tx.commit().await.unwrap();
                break;
            }
            tx.rollback().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn shards_go_from_one_process_to_another_and_every_key_stays_in_order() {
    let (file, _store) = migrated().await;
    let received = Arc::new(Received::default());
    let (stop_first, stop) = (CancellationToken::new(), CancellationToken::new());
    let first = worker(&file, &received, &stop_first);
    let mut writers = JoinSet::new();
    for writer in 0..5 {
        writers.spawn(count_up(file.store(), format!("key {writer}")));
    }
    received.wait_for(20).await;
    let second = worker(&file, &received, &stop);
    stop_first.cancel();
    first.await.unwrap().unwrap();
    writers.join_all().await;
    received.wait_for(5 * PER_KEY as usize).await;
    stop.cancel();
    second.await.unwrap().unwrap();

    let list = received.list.lock().unwrap().clone();
    let mut last = HashMap::new();
    for (key, number) in &list {
        let before = last.insert(key, *number).unwrap_or(0);
        assert_eq!(*number, before + 1, "{key}");
    }
    assert_eq!(list.len(), 5 * PER_KEY as usize);
    let stats = file.store().stats().await.unwrap();
    assert_eq!((stats[0].lag_events, stats[0].handled), (0, 5 * PER_KEY as u64));
}
