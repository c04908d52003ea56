//! The service: receives what is in the folder, and runs the consumers until nothing is left.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use outbox_runtime::{
    ConsumerStats, DeliveryFilter, DeliveryState, Outbox, Registry, RegistryInfo, Worker,
};
use tokio_util::sync::CancellationToken;

use crate::database::{Database, Opened};
use crate::ingest::{self, Ingested};
use crate::progress::Progress;
use crate::report::Report;
use crate::webhook::Files;

/// After a crash, the next run waits this long before it takes the dead one's consumers over. In
/// production, leave it at its default of 15 s.
const LEASE: Duration = Duration::from_secs(3);

/// How often to ask whether anything is left to do.
const ASK: Duration = Duration::from_millis(200);

/// Runs until nothing is left to do, or Ctrl-C; then reports.
pub(crate) async fn run<DB: Database>(opened: Opened<DB>, files: &Files) -> Result<Report> {
    let Opened { pool, name } = opened;
    let outbox = Outbox::<DB::Registry, DB>::new(pool.clone());
    outbox.migrate().await?;
    DB::create_tables(&pool).await.context("cannot create the service's tables")?;

    let registry = DB::Registry::registry();
    let progress = Progress::start(&name, files, &registry);
    let stop = CancellationToken::new();

    // The worker runs all consumers of the registry. Any number of processes may run one: each
    // consumer is run by one of them at a time. The outbox is also what the consumers have as
    // their state.
    let worker = Worker::new(outbox.clone(), outbox.clone())
        .lease(LEASE)
        .on_change({
            let progress = progress.clone();
            move |notice| progress.changed(notice)
        })
        .run_until(stop.clone().cancelled_owned());
    let mut worker = tokio::spawn(worker);

    // A service would receive for ever; this one ends with the folder.
    let work = async {
        let ingested = ingest::ingest::<DB>(&outbox, files, &progress, &stop).await?;
        settle(&outbox, &registry, &progress, &stop).await?;
        Ok::<_, anyhow::Error>(ingested)
    };
    let interrupt = stop_at_ctrl_c(stop.clone());
    let (ingested, finished): (Ingested, bool) = tokio::select! {
        ingested = work => (ingested?, !stop.is_cancelled()),
        ended = &mut worker => {
            ended.context("the worker panicked")?.context("the worker cannot run")?;
            return Err(anyhow!("the worker ended by itself"));
        }
    };
    interrupt.abort();

    // Lets handlers that are running finish, records what they did, and hands the leases back.
    stop.cancel();
    worker.await.context("the worker panicked")??;
    let counts = progress.finish();
    Report::read(&outbox, &registry, name, files, ingested, counts, finished).await
}

/// Waits until every consumer has handled everything, or it is told to stop.
async fn settle<DB: Database>(
    outbox: &Outbox<DB::Registry, DB>,
    registry: &RegistryInfo,
    progress: &Progress,
    stop: &CancellationToken,
) -> Result<()> {
    while !stop.is_cancelled() {
        let stats = outbox.stats().await?;
        progress.to_go(stats.iter().map(left_to_do).sum());
        if is_settled(outbox, registry, &stats).await? {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(ASK) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}

/// What a consumer will do by itself, sooner or later.
fn left_to_do(stats: &ConsumerStats) -> u64 {
    stats.lag_events + stats.delayed + stats.retrying + stats.parked
}

async fn is_settled<DB: Database>(
    outbox: &Outbox<DB::Registry, DB>,
    registry: &RegistryInfo,
    stats: &[ConsumerStats],
) -> Result<bool> {
    for consumer in &registry.consumers {
        let name = consumer.options.name;
        // A consumer has figures from the moment that a worker first started.
        let Some(stats) = stats.iter().find(|stats| stats.consumer == name) else {
            return Ok(false);
        };
        if left_to_do(stats) > stats.parked {
            return Ok(false);
        }
        // What is parked follows by itself, unless it waits behind a dead letter.
        if stats.parked > 0 {
            let parked = DeliveryFilter::all().consumer(name).state(DeliveryState::Parked);
            let parked = outbox.deliveries(&parked).await?;
            if stats.dead == 0 || parked.iter().any(|delivery| delivery.due_at.is_some()) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn stop_at_ctrl_c(stop: CancellationToken) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        match tokio::signal::ctrl_c().await {
            Ok(()) => stop.cancel(),
            Err(error) => eprintln!("Ctrl-C will not be graceful: {error}"),
        }
    })
}
