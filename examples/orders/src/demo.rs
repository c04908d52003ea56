//! A few requests to the running service, and what became of them.

use std::time::Duration;

use anyhow::{Result, bail};
use outbox_runtime::EventFilter;
use serde_json::{Value, json};

use crate::orders::Order;
use crate::shop::AppState;

/// Sends requests, waits until the orders are paid, and prints the events.
///
/// # Errors
///
/// When the service does not answer as it should.
pub async fn run(address: &str, state: &AppState) -> Result<()> {
    let client = reqwest::Client::new();
    let order = |customer: &str, sku: &str, quantity: u32| {
        let body = json!({
            "customer": customer, "sku": sku, "quantity": quantity, "card": "4242 4242 4242 4242",
        });
        client.post(format!("{address}/orders")).header("x-request-id", "demo").json(&body).send()
    };
    let mut placed = Vec::new();
    for (customer, sku, quantity) in [("ada", "tea", 2), ("bob", "cup", 3), ("eve", "tea", 1)] {
        let answer = order(customer, sku, quantity).await?;
        let (status, body) = (answer.status(), answer.json::<Value>().await?);
        println!("POST /orders  {customer} {quantity} x {sku}: {status}\n  {body}");
        if status.is_success() {
            placed.push(serde_json::from_value::<Order>(body)?.id);
        }
    }
    for id in &placed {
        wait_until_paid(&client, address, &id.to_string()).await?;
    }
    let cancel = format!("{address}/orders/{}/cancel", placed[0]);
    println!("POST /orders/{}/cancel: {}", placed[0], client.post(cancel).send().await?.status());

    println!("\nthe log:");
    for event in state.outbox.events(&EventFilter::all()).await? {
        let caused_by = event.headers.get("caused_by").unwrap_or("a request");
        println!("  {:3} {} v{}, by {caused_by}", event.position, event.name, event.version);
        println!("      {}", event.payload);
    }
    Ok(())
}

async fn wait_until_paid(client: &reqwest::Client, address: &str, id: &str) -> Result<()> {
    for _ in 0..300 {
        let order: Order =
            client.get(format!("{address}/orders/{id}")).send().await?.json().await?;
        if order.state == "paid" {
            println!("GET /orders/{id}: paid");
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("nobody charged order {id}: is the worker running?")
}
