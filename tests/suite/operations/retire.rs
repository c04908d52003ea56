use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{DeliveryFilter, ErrorKind};
use outbox_tests::{Act, Db, Probe, Running};

use super::{emit, pings, sorted, until_all_run};
use crate::consumers::{Hopeless, Sharded};

crate::both! {
    a_consumer_that_a_worker_runs_is_not_retired,
    a_retired_consumer_is_gone_and_begins_anew_if_it_comes_back,
}

async fn a_consumer_that_a_worker_runs_is_not_retired<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Sharded, DB>::new().await?, Probe::default());
    let worker = Running::start(&outbox, probe.clone());
    until_all_run(&outbox, "sharded").await;
    let error = outbox.retire("sharded").await.expect_err("it is run");
    assert_eq!(error.kind(), ErrorKind::InUse);
    worker.stop().await?;
    assert_eq!(outbox.retire("sharded").await?, 0);
    assert_eq!(outbox.retire("sharded").await.expect_err("gone").kind(), ErrorKind::NotFound);
    Ok(())
}

async fn a_retired_consumer_is_gone_and_begins_anew_if_it_comes_back<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Hopeless, DB>::new().await?;
    emit(&outbox, pings(0..10, 10)).await?;
    outbox.drain(Probe::new(|_, _, _| Act::Fail)).await?;
    assert_eq!(outbox.retire("hopeless").await?, 10, "dead letters");
    assert!(outbox.stats().await?.is_empty());
    assert!(outbox.shards(None).await?.is_empty());
    assert!(outbox.deliveries(&DeliveryFilter::all()).await?.is_empty());

    let probe = Probe::default();
    outbox.drain(probe.clone()).await?;
    assert_eq!(sorted(probe.numbers("hopeless")), (0..10).collect::<Vec<_>>(), "its start says so");
    assert_eq!(outbox.stats().await?[0].handled, 10);
    Ok(())
}
