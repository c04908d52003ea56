//! Order by key.

use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{DeliveryFilter, DeliveryState};
use outbox_tests::{Act, Db, Ping, Probe};

use crate::consumers::Ordered;

crate::both! {
    one_failing_key_of_a_thousand_holds_back_nobody_else,
}

async fn one_failing_key_of_a_thousand_holds_back_nobody_else<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Ordered, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    for n in 0..3 {
        outbox.emit_all(&mut tx, (0..1000).map(|key| Ping::keyed(&key.to_string(), n))).await?;
    }
    tx.commit().await?;
    let probe = Probe::new(|_, ping, _| match ping.key.as_deref() {
        Some("17") => Act::Fail,
        _ => Act::Succeed,
    });

    outbox.drain(probe.clone()).await?;

    let seen = probe.by_key("ordered");
    assert_eq!(seen.len(), 1000);
    for (key, numbers) in &seen {
        let expected: &[u64] = if key == "17" { &[0] } else { &[0, 1, 2] };
        assert_eq!(numbers, expected, "key {key}");
    }
    let of_key = DeliveryFilter::all().consumer("ordered").key("17");
    let rows = outbox.deliveries(&of_key).await?;
    let states: Vec<_> = rows.iter().map(|row| row.state).collect();
    assert_eq!(states, [DeliveryState::Retrying, DeliveryState::Parked, DeliveryState::Parked]);

    for _ in 0..2 {
        outbox.advance(Duration::from_secs(60));
        outbox.drain(probe.clone()).await?;
    }
    let dead = outbox.deliveries(&of_key.clone().state(DeliveryState::Dead)).await?;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].errors.len(), 3);
    assert_eq!(probe.by_key("ordered")["17"], [0, 0, 0], "the dead letter holds its key");

    probe.forget();
    probe.rescript(|_, _, _| Act::Succeed);
    assert_eq!(outbox.redrive(&of_key).await?, 1);
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.by_key("ordered")["17"], [0, 1, 2]);
    assert_eq!(outbox.deliveries(&of_key).await?.len(), 0);
    Ok(())
}
