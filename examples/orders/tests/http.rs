//! Real requests over HTTP: the row and the event are there both, or neither is.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use axum::http::StatusCode;
use orders::database::{Db, migrate, stock_up};
use orders::error::ApiError;
use orders::events::{OrderCancelled, OrderShipped};
use orders::orders::{Cancelled, Order, PlaceOrder, PlaceOrderEvent};
use orders::shop::{AppState, Pending, Policy, Shop};
use orders::{app, sandbox};
use outbox_runtime::testing::{TestDatabase, TestOutbox};
use outbox_runtime::{EventFilter, headers};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// The service on a port of its own, with a database of its own.
struct Service {
    outbox: TestOutbox<Shop, Db>,
    state: AppState,
    address: SocketAddr,
    client: Client,
}

impl Service {
    async fn start(policy: impl Policy + 'static) -> Result<Self> {
        let database = TestDatabase::<Db>::create().await?;
        migrate(database.pool()).await?;
        let outbox = TestOutbox::<Shop, Db>::on(database);
        stock_up(outbox.pool()).await?;
        let sandbox = sandbox::state(outbox.outbox().clone());
        let state = AppState { policy: Arc::new(policy), ..sandbox };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let service = axum::serve(listener, app(state.clone()));
        tokio::spawn(async move { service.await });
        Ok(Self { outbox, state, address, client: Client::new() })
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Response> {
        let url = format!("http://{}{path}", self.address);
        let request = self.client.post(url).header("x-request-id", "request-7").json(body);
        Ok(request.send().await?)
    }

    async fn count(&self, sql: &'static str) -> Result<i64> {
        Ok(sqlx::query_scalar(sql).fetch_one(self.outbox.pool()).await?)
    }

    /// How many orders and how many events of orders there are.
    async fn both(&self) -> Result<(i64, usize)> {
        let rows = self.count("select count(*) from orders").await?;
        Ok((rows, self.outbox.emitted::<PlaceOrderEvent>().await?.len()))
    }
}

fn order(customer: &str) -> Value {
    json!({ "customer": customer, "sku": "tea", "quantity": 2, "card": "4242" })
}

/// Does what the client's name says.
struct ByName {
    entered: mpsc::UnboundedSender<&'static str>,
}

impl ByName {
    fn new() -> (Self, mpsc::UnboundedReceiver<&'static str>) {
        let (entered, told) = mpsc::unbounded_channel();
        (Self { entered }, told)
    }
}

/// Says when it is dropped.
struct Dropped(mpsc::UnboundedSender<&'static str>);

impl Drop for Dropped {
    fn drop(&mut self) {
        // Nobody may be listening any more.
        let _ = self.0.send("dropped");
    }
}

impl Policy for ByName {
    fn check<'a>(&'a self, order: &'a PlaceOrder) -> Pending<'a, Result<(), ApiError>> {
        let entered = self.entered.clone();
        Box::pin(async move {
            match order.card.as_str() {
                "refused" => Err(ApiError::conflict("as told")),
                "fails" => Err(ApiError::Failed(anyhow::anyhow!("as told"))),
                "panics" => panic!("as told"),
                "hangs" => {
                    let _dropped = Dropped(entered.clone());
                    entered.send("entered").expect("the test listens");
                    std::future::pending().await
                }
                _ => Ok(()),
            }
        })
    }
}

fn with_card(card: &str) -> Value {
    json!({ "customer": "ada", "sku": "tea", "quantity": 2, "card": card })
}

#[tokio::test]
async fn an_order_that_is_accepted_is_a_row_and_an_event() -> Result<()> {
    let service = Service::start(sandbox::Sandbox).await?;
    let answer = service.post("/orders", &order("ada")).await?;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let order: Order = answer.json().await?;
    assert_eq!((order.total, order.state.as_str()), (900, "placed"));

    assert_eq!(service.both().await?, (1, 1));
    let events = service.outbox.events(&EventFilter::all()).await?;
    let event = &events[0];
    assert_eq!((event.name.as_str(), event.version), ("orders.place", 1));
    assert_eq!(event.key.as_deref(), Some(&*order.id.to_string()));
    assert_eq!(event.headers.get(headers::CORRELATION_ID), Some("request-7"));
    assert!(!event.payload.get().contains("4242"), "the card is in {}", event.payload);
    let emitted = service.outbox.emitted::<PlaceOrderEvent>().await?;
    assert_eq!(emitted[0].output, order);
    assert_eq!((emitted[0].input.customer.as_str(), emitted[0].input.card.as_str()), ("ada", ""));
    Ok(())
}

#[tokio::test]
async fn what_a_client_does_wrong_is_neither_a_row_nor_an_event() -> Result<()> {
    let (policy, _told) = ByName::new();
    let service = Service::start(policy).await?;
    for (body, status) in [
        (json!({ "customer": "ada" }), StatusCode::UNPROCESSABLE_ENTITY),
        (
            json!({ "customer": "ada", "sku": "tea", "quantity": 0, "card": "" }),
            StatusCode::BAD_REQUEST,
        ),
        (
            json!({ "customer": "ada", "sku": "gold", "quantity": 1, "card": "" }),
            StatusCode::NOT_FOUND,
        ),
        (with_card("refused"), StatusCode::CONFLICT),
    ] {
        assert_eq!(service.post("/orders", &body).await?.status(), status, "{body}");
        assert_eq!(service.both().await?, (0, 0), "{body}");
    }
    Ok(())
}

#[tokio::test]
async fn a_handler_that_fails_or_panics_leaves_neither() -> Result<()> {
    let (policy, _told) = ByName::new();
    let service = Service::start(policy).await?;
    for card in ["fails", "panics"] {
        let answer = service.post("/orders", &with_card(card)).await?;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR, "{card}");
        assert_eq!(service.both().await?, (0, 0), "{card}");
    }
    // And the connection that it had is as good as before.
    assert_eq!(service.post("/orders", &with_card("good")).await?.status(), StatusCode::CREATED);
    assert_eq!(service.both().await?, (1, 1));
    Ok(())
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_neither() -> Result<()> {
    let (policy, mut told) = ByName::new();
    let service = Service::start(policy).await?;
    let body = with_card("hangs").to_string();
    let request = format!(
        "POST /orders HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut connection = TcpStream::connect(service.address).await?;
    connection.write_all(request.as_bytes()).await?;
    // The row has been inserted by then.
    assert_eq!(told.recv().await, Some("entered"));
    drop(connection);
    assert_eq!(told.recv().await, Some("dropped"));

    assert_eq!(service.both().await?, (0, 0));
    assert_eq!(service.post("/orders", &with_card("good")).await?.status(), StatusCode::CREATED);
    assert_eq!(service.both().await?, (1, 1));
    Ok(())
}

#[tokio::test]
async fn a_client_that_uploads_slowly_holds_no_transaction() -> Result<()> {
    let service = Service::start(sandbox::Sandbox).await?;
    let mut slow = TcpStream::connect(service.address).await?;
    let head = "POST /orders HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\n\
                content-length: 100\r\n\r\n{";
    slow.write_all(head.as_bytes()).await?;
    // On SQLite there is one writer at a time: these would wait for it.
    for _ in 0..3 {
        assert_eq!(service.post("/orders", &order("ada")).await?.status(), StatusCode::CREATED);
    }
    drop(slow);
    assert_eq!(service.both().await?, (3, 3));
    Ok(())
}

#[tokio::test]
async fn a_commit_that_the_database_refuses_is_an_error_and_no_event() -> Result<()> {
    let service = Service::start(sandbox::Sandbox).await?;
    // Who the customer is, the database checks at the commit.
    let answer = service.post("/orders", &order("eve")).await?;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    let body: Value = answer.json().await?;
    let message = body["error"].as_str().unwrap_or_default();
    assert!(message.contains("not accepted"), "{message}");
    assert_eq!(service.both().await?, (0, 0));
    Ok(())
}

#[tokio::test]
async fn an_event_of_our_own_is_made_from_the_answer() -> Result<()> {
    let service = Service::start(sandbox::Sandbox).await?;
    let placed: Order = service.post("/orders", &order("ada")).await?.json().await?;
    let cancel = format!("/orders/{}/cancel", placed.id);
    let cancelled: Cancelled = service.post(&cancel, &Value::Null).await?.json().await?;
    assert_eq!(cancelled.paid, 0);
    assert_eq!(service.post(&cancel, &Value::Null).await?.status(), StatusCode::CONFLICT);
    let events = service.outbox.emitted::<OrderCancelled>().await?;
    assert_eq!(events, [OrderCancelled { order_id: placed.id, paid: 0 }]);
    Ok(())
}

#[tokio::test]
async fn several_calls_share_the_transaction_of_their_caller() -> Result<()> {
    let service = Service::start(sandbox::Sandbox).await?;
    for customer in ["ada", "bob", "ada"] {
        service.post("/orders", &order(customer)).await?.error_for_status()?;
    }
    service.outbox.drain(service.state.clone()).await?;
    let shipped: Vec<uuid::Uuid> = service.post("/shipments", &Value::Null).await?.json().await?;
    let events = service.outbox.emitted::<OrderShipped>().await?;
    let told: Vec<_> = events.iter().map(|shipped| shipped.order_id).collect();
    assert_eq!((shipped.len(), &told), (3, &shipped));
    assert_eq!(service.count("select count(*) from orders where state = 'shipped'").await?, 3);
    Ok(())
}
