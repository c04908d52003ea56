//! Runs the shop: the service and its worker in one process.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use clap::Parser;
use orders::shop::AppState;
use orders::{app, database, demo, sandbox};
use outbox_runtime::{Outbox, Worker};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// A small shop over HTTP, with a transactional outbox.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,

    /// The database.
    #[arg(long, env = "ORDERS_DATABASE_URL", default_value = database::DEFAULT_URL)]
    database_url: String,

    /// Send a few requests, print what became of them, and end.
    #[arg(long)]
    demo: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();

    let pool = database::connect(&arguments.database_url).await?;
    database::migrate(&pool).await?;
    let outbox = Outbox::new(pool.clone());
    database::stock_up(&pool).await?;
    let state = sandbox::state(outbox);

    // For the demonstration any free port will do.
    let listen =
        if arguments.demo { SocketAddr::from(([127, 0, 0, 1], 0)) } else { arguments.listen };
    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    let address = format!("http://{}", listener.local_addr()?);
    tracing::info!("listening on {address}");

    let stop = CancellationToken::new();
    let service = tokio::spawn(serve(listener, state.clone(), stop.clone()));
    let worker = Worker::new(state.outbox.clone(), state.clone());
    let worker = tokio::spawn(worker.run_until(stop.clone().cancelled_owned()));
    let told = async {
        match arguments.demo {
            true => demo::run(&address, &state).await,
            false => tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C"),
        }
    }
    .await;
    stop.cancel();
    service.await??;
    worker.await??;
    told
}

async fn serve(listener: TcpListener, state: AppState, stop: CancellationToken) -> Result<()> {
    let served = axum::serve(listener, app(state));
    served.with_graceful_shutdown(stop.cancelled_owned()).await.context("the service ended")
}
