//! Everything that a consumer may return.

use outbox_runtime::{
    Batch, BatchOutcome, ConsumerDef, Delivery, Event, Outcome, Tx, consumer,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io::Error;

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "tick")]
struct Tick {}

#[consumer(name = "nothing")]
async fn nothing(_: Delivery<Tick>) {}

#[consumer(name = "unit")]
async fn unit(_: Delivery<Tick>) -> () {}

#[consumer(name = "outcome")]
async fn outcome(_: Delivery<Tick>) -> Outcome {
    Outcome::skip("not ours")
}

#[consumer(name = "static-note")]
async fn static_note(_: Delivery<Tick>) -> &'static str {
    "sent"
}

#[consumer(name = "note")]
async fn note(_: Delivery<Tick>) -> String {
    "sent".to_owned()
}

#[consumer(name = "result.unit")]
async fn result_unit(_: Delivery<Tick>) -> Result<(), Error> {
    Ok(())
}

#[consumer(name = "result.static-note")]
async fn result_static_note(_: Delivery<Tick>) -> Result<&'static str, Error> {
    Ok("sent")
}

#[consumer(name = "result.note")]
async fn result_note(_: Delivery<Tick>) -> Result<String, Error> {
    Ok("sent".to_owned())
}

#[consumer(name = "result.outcome")]
async fn result_outcome(_: Delivery<Tick>) -> Result<Outcome, Error> {
    Ok(().into())
}

#[consumer(name = "aliased")]
async fn aliased(_: Delivery<Tick>) -> std::io::Result<()> {
    Ok(())
}

#[consumer(name = "tx.outcome", delivery = tx)]
async fn tx_outcome(_: Delivery<Tick>, _: &mut Tx<'_, sqlx::Postgres>) -> Result<Outcome, Error> {
    Ok(().into())
}

#[consumer(name = "batch.nothing", batch(max = 2))]
async fn batch_nothing(_: Batch<Tick>) {}

#[consumer(name = "batch.outcome", batch(max = 2))]
async fn batch_outcome(ticks: Batch<Tick>) -> BatchOutcome {
    BatchOutcome::all_done(ticks.len())
}

#[consumer(name = "batch.result", batch(max = 2))]
async fn batch_result(_: Batch<Tick>) -> Result<(), Error> {
    Ok(())
}

#[consumer(name = "batch.result-outcome", batch(max = 2))]
async fn batch_result_outcome(ticks: Batch<Tick>) -> Result<BatchOutcome, Error> {
    Ok(BatchOutcome::all_done(ticks.len()))
}

// Who calls a consumer gets what its signature says.
#[allow(dead_code)]
async fn called(tick: Delivery<Tick>) -> (Result<String, Error>, &'static str) {
    (result_note(tick).await, result_static_note::OPTIONS.name)
}

fn main() {
    assert_eq!(unit::OPTIONS.name, "unit");
    assert_eq!(batch_result_outcome::OPTIONS.name, "batch.result-outcome");
}
