use anyhow::Result;
use outbox_runtime::DeliveryFilter;
use outbox_runtime::testing::TestOutbox;
use outbox_tests::{Act, Db, Probe};

use super::{emit, pings};
use crate::consumers::Hopeless;

crate::both! {
    any_number_of_dead_letters_is_redriven_and_discarded_in_steps,
}

async fn any_number_of_dead_letters_is_redriven_and_discarded_in_steps<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Hopeless, DB>::new().await?;
    emit(&outbox, pings(0..2_345, 100)).await?;
    let failing = Probe::new(|_, _, _| Act::Fail);
    assert_eq!(outbox.drain(failing.clone()).await?.dead, 2_345);
    let all = DeliveryFilter::all();
    assert_eq!(outbox.redrive(&all.clone().limit(1_100)).await?, 1_100);
    assert_eq!(outbox.redrive(&all.clone().key("k7")).await?, 13, "the rest of one key");
    assert_eq!(outbox.redrive(&all).await?, 2_345 - 1_100 - 13);
    assert_eq!(outbox.redrive(&all).await?, 0);
    assert_eq!(outbox.drain(failing).await?.dead, 2_345);
    assert_eq!(outbox.discard(&all.clone().limit(2_000)).await?, 2_000);
    assert_eq!(outbox.discard(&all).await?, 345);
    assert!(outbox.deliveries(&all).await?.is_empty());
    Ok(())
}
