//! A database that goes away, or takes too little: the worker waits, says so once, and goes on by
//! itself.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{
    ConsumerError, Delivery, DeliveryFilter, DeliveryState, Outbox, Own, Postgres, Registered,
    Registry, State, Tx, Worker, consumer, registry,
};
use outbox_tests::{Db, Ping, Probe, Running, wait};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::consumers::{Several, sharded};

/// A way to the server that can be closed: whoever knocks then is counted and turned away.
struct Gate {
    port: u16,
    open: watch::Sender<bool>,
    turned_away: Arc<AtomicU32>,
}

impl Gate {
    async fn to(options: &PgConnectOptions) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let server = (options.get_host().to_owned(), options.get_port());
        let open = watch::Sender::new(true);
        let turned_away = Arc::new(AtomicU32::new(0));
        let (opened, count) = (open.subscribe(), Arc::clone(&turned_away));
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                if !*opened.borrow() {
                    count.fetch_add(1, Ordering::Relaxed);
                    continue;
                }
                let (server, mut opened) = (server.clone(), opened.clone());
                tokio::spawn(async move {
                    let Ok(mut behind) = TcpStream::connect(server).await else { return };
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut behind) => {}
                        _ = opened.wait_for(|open| !open) => {}
                    }
                });
            }
        });
        Ok(Self { port, open, turned_away })
    }
}

/// What this thread logs at info and above.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn capture(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_ansi(false)
            .with_writer(move || log.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn lines(&self, of: &str) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().expect("the log").clone()).expect("text");
        text.lines().filter(|line| line.contains(of)).map(str::to_owned).collect()
    }
}

async fn emit<R>(outbox: &Outbox<R, Postgres>, pings: impl IntoIterator<Item = Ping>) -> Result<()>
where
    R: Registry + Registered<Ping, Own>,
{
    let mut tx = outbox.begin().await?;
    outbox.emit_all(&mut tx, pings).await?;
    Ok(tx.commit().await?)
}

/// Ends a little later for each event of the first hundred.
#[consumer(name = "sleepy", start = beginning, concurrency = 100)]
async fn sleepy(ping: Delivery<Ping>, State(probe): State<Probe>) {
    probe.note("sleepy", &ping);
    let index = if ping.n < 100 { ping.n } else { 0 };
    tokio::time::sleep(Duration::from_millis(40) * index as u32).await;
}

registry! {
    struct Sleepy;
    state: Probe,
    events: [Ping],
    consumers: [sleepy, sharded],
}

/// On one thread, so that everything it logs is captured.
#[tokio::test]
async fn an_outage_is_told_in_two_lines_and_tried_now_and_then_postgres() -> Result<()> {
    const OUTAGE: Duration = Duration::from_secs(4);
    let log = Log::default();
    let _guard = log.capture();
    let outbox = TestOutbox::<Sleepy, Postgres>::new().await?;
    let options: PgConnectOptions = outbox.database().url().parse()?;
    let gate = Gate::to(&options).await?;
    let pool = PgPoolOptions::new()
        .max_connections(8)
        .connect_with(options.host("127.0.0.1").port(gate.port))
        .await?;
    let through = Outbox::<Sleepy, Postgres>::builder(pool).clock(outbox.clock().clone()).build();
    let probe = Probe::default();
    let often = Duration::from_millis(10);
    let worker = Worker::new(through, probe.clone()).poll(often, often);
    let running = Running::worker(worker);
    emit(outbox.outbox(), (0..100).map(|n| Ping::keyed(&format!("k{n}"), n))).await?;
    probe.until_called("sharded", 100).await;
    probe.until_called("sleepy", 100).await;
    let before = log.lines("outbox_runtime");
    assert!(before.is_empty(), "{before:#?}");

    gate.open.send_replace(false);
    // This is how long it lasts, not a wait for something.
    tokio::time::sleep(OUTAGE).await;
    let turned_away = gate.turned_away.load(Ordering::Relaxed);
    let (listening, during): (Vec<_>, Vec<_>) =
        log.lines("outbox_runtime").into_iter().partition(|line| line.contains("LISTEN"));
    gate.open.send_replace(true);
    emit(outbox.outbox(), (100..200).map(|n| Ping::keyed(&format!("k{n}"), n))).await?;
    for consumer in ["sharded", "sleepy"] {
        probe
            .until(&format!("what came later, {consumer}"), |seen| {
                let seen = seen.iter().filter(|seen| seen.consumer == consumer);
                let seen: HashSet<u64> = seen.map(|seen| seen.n).collect();
                (100..200).all(|n| seen.contains(&n))
            })
            .await;
    }
    wait::until("it to be told", async || log.lines("works again").len() == 1).await;
    running.stop().await?;

    println!("{turned_away} attempts in {OUTAGE:?}, {} lines of sqlx", log.lines("sqlx").len());
    assert_eq!(during.len(), 1, "{during:#?}");
    assert_eq!(listening.len(), 1, "which has a connection of its own: {listening:#?}");
    assert!(during[0].contains("WARN") && during[0].contains("retry_in"), "{}", during[0]);
    // The probe tries some eight times while its pauses grow to two seconds, and so does whatever
    // shard has something to do. The hundred handlers that end
    // meanwhile make nobody try sooner.
    assert!((5..80).contains(&turned_away), "{turned_away} attempts");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_without_connections_left_is_waited_for_postgres() -> Result<()> {
    let outbox = TestOutbox::<Several, Postgres>::new().await?;
    let role = format!("few_{}", uuid::Uuid::now_v7().simple());
    let admin = outbox.pool();
    for sql in [
        format!("create role {role} login password 'few' connection limit 3"),
        format!("grant usage on schema outbox to {role}"),
        format!("grant all on all tables in schema outbox to {role}"),
        format!("grant all on all sequences in schema outbox to {role}"),
    ] {
        Postgres::execute(admin, &sql).await?;
    }
    let options: PgConnectOptions = outbox.database().url().parse()?;
    let options = options.username(&role).password("few");
    let patience = Duration::from_millis(500);
    let few = PgPoolOptions::new().max_connections(8).acquire_timeout(patience);
    let few = few.connect_lazy_with(options.clone());
    let limited =
        Outbox::<Several, Postgres>::builder(few.clone()).clock(outbox.clock().clone()).build();
    let probe = Probe::default();
    let running = Running::worker(Worker::new(limited, probe.clone()));
    emit(outbox.outbox(), [Ping::new(0)]).await?;
    probe.until_called("plain", 1).await;

    // Ends what the worker has, and takes all there is, so that it finds no place.
    let greedy = PgPoolOptions::new().max_connections(3).connect_lazy_with(options);
    let mut taken = Vec::new();
    wait::for_signal("all connections to be taken", async {
        while taken.len() < 3 {
            let theirs = format!(
                "select pg_terminate_backend(pid) from pg_stat_activity \
                 where usename = '{role}' and application_name <> 'greedy'"
            );
            let _ = Postgres::execute(admin, &theirs).await;
            if let Ok(Ok(mut connection)) = tokio::time::timeout(patience, greedy.acquire()).await {
                let name = sqlx::query("set application_name = 'greedy'");
                if name.execute(&mut *connection).await.is_ok() {
                    taken.push(connection);
                }
            }
        }
    })
    .await;
    emit(outbox.outbox(), [Ping::new(2)]).await?;
    let error = few.acquire().await.map(drop).expect_err("no connection left");
    println!("as told without an outbox: {error}");
    drop(taken);
    greedy.close().await;
    for consumer in ["plain", "ordered", "picky"] {
        probe.until(consumer, |seen| seen.iter().any(|s| s.consumer == consumer && s.n == 2)).await;
    }
    wait::until("it to be recorded", async || {
        outbox.stats().await.is_ok_and(|stats| stats.iter().all(|stats| stats.handled == 2))
    })
    .await;
    running.stop().await?;
    few.close().await;
    Postgres::execute(admin, &format!("drop owned by {role}")).await?;
    Postgres::execute(admin, &format!("drop role {role}")).await?;
    Ok(())
}

/// Lets its transaction idle for longer than the server allows, or ends its own connection.
#[consumer(name = "idler", delivery = tx, start = beginning, retry(max = 2, backoff = "1ms..1ms"))]
async fn idler(
    ping: Delivery<Ping>,
    tx: &mut Tx<'_, Postgres>,
    State(probe): State<Probe>,
) -> Result<(), ConsumerError> {
    probe.note("idler", &ping);
    if ping.n == 1 {
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    if ping.n == 2 {
        let end = sqlx::query("select pg_terminate_backend(pg_backend_pid())");
        end.execute(&mut **tx).await?;
    }
    let insert = sqlx::query("insert into effect (n) values ($1)").bind(ping.n as i64);
    insert.execute(&mut **tx).await?;
    Ok(())
}

registry! {
    struct Idlers;
    state: Probe,
    events: [Ping],
    consumers: [idler],
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn low_timeouts_of_the_server_stop_nobody_postgres() -> Result<()> {
    let outbox = TestOutbox::<Idlers, Postgres>::new().await?;
    Postgres::execute(outbox.pool(), "create table effect (n bigint)").await?;
    let options: PgConnectOptions = outbox.database().url().parse()?;
    let strict = options.options([
        ("statement_timeout", "2s"),
        ("lock_timeout", "100ms"),
        ("idle_in_transaction_session_timeout", "100ms"),
        ("idle_session_timeout", "100ms"),
    ]);
    let pool = PgPoolOptions::new().max_connections(4).connect_with(strict).await?;
    let strict = Outbox::<Idlers, Postgres>::builder(pool).build();
    let probe = Probe::default();
    let running = Running::worker(Worker::new(strict, probe.clone()));
    emit(outbox.outbox(), (0..5).map(Ping::new)).await?;
    // Given up in the end, as an attempt of its own; the others are not held up.
    let dead = DeliveryFilter::all().state(DeliveryState::Dead);
    wait::until("the idler to be given up", async || {
        outbox.deliveries(&dead).await.is_ok_and(|dead| dead.len() == 1)
    })
    .await;
    wait::until("the others to be handled", async || {
        outbox.stats().await.is_ok_and(|stats| stats[0].handled == 4)
    })
    .await;
    let letter = outbox.deliveries(&dead).await?.pop().expect("a dead letter");
    let ping: Ping = serde_json::from_str(letter.event.payload.get())?;
    assert_eq!((ping.n, letter.attempts), (2, 2));
    // A row that somebody locks for longer than `lock_timeout`, beyond a lease.
    let mut tx = outbox.pool().begin().await?;
    sqlx::query("select * from outbox.lease for update").execute(&mut *tx).await?;
    emit(outbox.outbox(), [Ping::new(10)]).await?;
    probe.until("an event meanwhile", |seen| seen.iter().any(|seen| seen.n == 10)).await;
    tx.rollback().await?;
    let effects = "select sum(n)::bigint from effect";
    wait::until("all effects", async || {
        Postgres::number(outbox.pool(), effects).await.is_ok_and(|sum| sum == 18)
    })
    .await;
    running.stop().await?;
    Ok(())
}
