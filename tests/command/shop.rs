//! A database with a worker beside it, and the command.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestDatabase;
use outbox_runtime::{
    ConsumerError, Delivery, Emitted, IntoEmit, Outbox, Outcome, State, Worker, consumer, registry,
};
use outbox_tests::{Act, Db, Ping, Probe, Running, wait};
use serde_json::Value;

#[consumer(name = "print", start = beginning, ordered, shards = 2, retry = none)]
async fn print(ping: Delivery<Ping>, State(probe): State<Probe>) -> Result<Outcome, ConsumerError> {
    probe.handle("print", &ping).await
}

registry! {
    struct Prints;
    state: Probe,
    events: [Ping],
    consumers: [print],
}

pub(crate) struct Shop<DB: Db> {
    outbox: Outbox<Prints, DB>,
    pub(crate) probe: Probe,
    url: String,
    // Last, so that it is dropped after what uses it.
    _database: TestDatabase<DB>,
}

impl<DB: Db> Shop<DB> {
    pub(crate) async fn new() -> Result<Self> {
        let shop = Self::without_tables().await?;
        shop.outbox.migrate().await?;
        Ok(shop)
    }

    pub(crate) async fn without_tables() -> Result<Self> {
        let database = TestDatabase::<DB>::create().await?;
        let url = match DB::IS_POSTGRES {
            true => database.url().to_owned(),
            false => format!("sqlite:{}", database.url()),
        };
        let outbox = Outbox::new(database.pool().clone());
        Ok(Self { outbox, probe: Probe::default(), url, _database: database })
    }

    pub(crate) fn worker(
        &self,
        script: impl Fn(&str, &Ping, u32) -> Act + Send + Sync + 'static,
    ) -> Running {
        self.probe.rescript(script);
        let often = Duration::from_millis(10);
        let worker = Worker::new(self.outbox.clone(), self.probe.clone());
        Running::worker(worker.poll(often, often))
    }

    pub(crate) async fn emit(
        &self,
        pings: impl IntoIterator<Item = impl IntoEmit<Event = Ping>>,
    ) -> Result<Vec<Emitted>> {
        let mut tx = self.outbox.begin().await?;
        let emitted = self.outbox.emit_all(&mut tx, pings).await?;
        tx.commit().await?;
        Ok(emitted)
    }

    /// The command, with these arguments, on this database.
    pub(crate) fn outbox(&self, arguments: &[&str]) -> Answer {
        run(&self.url, arguments)
    }

    pub(crate) async fn until_nobody_runs_it(&self) {
        wait::until("the shards to be handed back", || async {
            let shards = self.outbox.shards(None).await.expect("the shards");
            shards.iter().all(|shard| shard.worker.is_none())
        })
        .await;
    }

    pub(crate) async fn until_dead(&self, count: u64) {
        wait::until("dead letters", || async {
            let stats = self.outbox.stats().await.expect("stats");
            stats.iter().map(|consumer| consumer.dead).sum::<u64>() == count
        })
        .await;
    }
}

/// What the command said, and how it ended.
pub(crate) struct Answer {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

pub(crate) fn run(url: &str, arguments: &[&str]) -> Answer {
    let output = tokio::task::block_in_place(|| {
        Command::new(env!("CARGO_BIN_EXE_operate"))
            .args(arguments)
            .args(["--database-url", url])
            .output()
            .expect("the command runs")
    });
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Answer { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Answer {
    /// What was printed when all went well.
    pub(crate) fn said(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{}", self.stdout);
        self.stdout
    }

    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.said()).expect("JSON")
    }

    /// Why nothing was done.
    pub(crate) fn refused(self) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (Some(2), ""), "{}", self.stderr);
        self.stderr
    }
}
