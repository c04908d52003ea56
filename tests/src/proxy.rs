//! A network between a worker and its database, to be broken.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What the network does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// It works.
    Passes,
    /// Every connection is reset, those that are opened later as well.
    Resets,
    /// It accepts everything and delivers nothing, in neither direction.
    Silent,
    /// What the worker says arrives; what the database says does not.
    AnswersAreLost,
    /// What the database says arrives; what the worker says does not.
    QuestionsAreLost,
}

/// A proxy in front of a server. A connection that was open while the network was silent stays
/// silent for ever, and neither side is told: as after a firewall has forgotten it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    network: watch::Sender<Network>,
    server: watch::Sender<String>,
    _accepting: JoinSet<()>,
}

impl Proxy {
    /// Starts one in front of the server of an address of Postgres.
    ///
    /// # Panics
    ///
    /// When the address has no host, or no port is free.
    pub async fn to(url: &str) -> Self {
        let (_, server, _) = parts(url);
        let server = watch::Sender::new(server.to_owned());
        let servers = server.subscribe();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let network = watch::Sender::new(Network::Passes);
        let mode = network.subscribe();
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(carry(client, servers.clone(), mode.clone()));
            }
        });
        Self { address, network, server, _accepting: accepting }
    }

    /// The same address by way of the proxy.
    #[must_use]
    pub fn url(&self, url: &str) -> String {
        let (before, _, after) = parts(url);
        format!("{before}{}{after}", self.address)
    }

    /// Resets all connections; new ones lead to the server of another address.
    ///
    /// # Panics
    ///
    /// When the address has no host.
    pub fn lead_to(&self, url: &str) {
        let (_, server, _) = parts(url);
        self.server.send_replace(server.to_owned());
    }

    /// Changes what the network does.
    pub fn set(&self, network: Network) {
        self.network.send_replace(network);
    }
}

/// What is before the host and port of an address, these two, and what is after them.
pub(crate) fn parts(url: &str) -> (&str, &str, &str) {
    let scheme = url.find("://").expect("an address with a scheme") + 3;
    let end = url[scheme..].find('/').map_or(url.len(), |end| scheme + end);
    let start = url[..end].rfind('@').map_or(scheme, |at| at + 1);
    (&url[..start], &url[start..end], &url[end..])
}

/// Carries one connection; when this ends, both sides are reset.
async fn carry(
    client: TcpStream,
    mut servers: watch::Receiver<String>,
    mut mode: watch::Receiver<Network>,
) {
    let server = servers.borrow_and_update().clone();
    let silence = Silence::default();
    let now = mode.clone();
    silence.fall(*mode.borrow_and_update());
    let Ok(upstream) = TcpStream::connect(server).await else { return };
    for stream in [&client, &upstream] {
        // If it fails, the end is told more politely.
        let _ = stream.set_zero_linger();
    }
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = upstream.into_split();
    tokio::select! {
        () = pump(client_read, server_write, || silence.is_up(&now)) => {}
        () = pump(server_read, client_write, || silence.is_down(&now)) => {}
        () = silence.follow(&mut mode) => {}
        _ = servers.changed() => {}
    }
}

/// Moves what comes, and throws it away once there is silence: whoever sends it hears nothing bad.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, is_silent: impl Fn() -> bool) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let moved = match from.read(&mut buffer).await {
            Ok(read) if read > 0 && is_silent() => continue,
            Ok(read) if read > 0 => to.write_all(&buffer[..read]).await.is_ok(),
            _ => false,
        };
        if !moved && is_silent() {
            // The end of one side is not told to the other either.
            std::future::pending::<()>().await;
        }
        if !moved {
            return;
        }
    }
}

/// Which directions of a connection nothing comes through any more.
#[derive(Default)]
struct Silence {
    up: AtomicBool,
    down: AtomicBool,
}

impl Silence {
    fn fall(&self, network: Network) {
        if matches!(network, Network::Silent | Network::QuestionsAreLost) {
            self.up.store(true, Ordering::Relaxed);
        }
        if matches!(network, Network::Silent | Network::AnswersAreLost) {
            self.down.store(true, Ordering::Relaxed);
        }
    }

    /// Asked for each piece that comes: what was sent after the network had been changed must not pass
    /// because nobody has noticed yet.
    fn is_up(&self, now: &watch::Receiver<Network>) -> bool {
        self.fall(*now.borrow());
        self.up.load(Ordering::Relaxed)
    }

    fn is_down(&self, now: &watch::Receiver<Network>) -> bool {
        self.fall(*now.borrow());
        self.down.load(Ordering::Relaxed)
    }

    /// Ends when the connection is to be reset.
    async fn follow(&self, mode: &mut watch::Receiver<Network>) {
        loop {
            let network = *mode.borrow_and_update();
            self.fall(network);
            if network == Network::Resets || mode.changed().await.is_err() {
                return;
            }
        }
    }
}
