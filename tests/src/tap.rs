//! A line to a Postgres server that counts the statements on it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::proxy::parts;

/// A proxy in front of a server, that reads along: every `Query` and every `Execute` of the protocol
/// counts as one statement ("Message Formats" in the manual of Postgres).
#[derive(Debug)]
pub struct Tap {
    address: SocketAddr,
    statements: Arc<AtomicU64>,
    _accepting: JoinSet<()>,
}

impl Tap {
    /// Starts one in front of the server of an address.
    ///
    /// # Panics
    ///
    /// When the address has no host, or no port is free.
    pub async fn to(url: &str) -> Self {
        let server = parts(url).1.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let statements = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&statements);
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(carry(client, server.clone(), Arc::clone(&counter)));
            }
        });
        Self { address, statements, _accepting: accepting }
    }

    /// The same address by way of the tap, without encryption.
    #[must_use]
    pub fn url(&self, url: &str) -> String {
        let (before, _, after) = parts(url);
        format!("{before}{}{after}?sslmode=disable", self.address)
    }

    /// How many statements there were so far.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }
}

async fn carry(client: TcpStream, server: String, statements: Arc<AtomicU64>) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    for stream in [&client, &server] {
        // If it fails, small messages wait a little.
        let _ = stream.set_nodelay(true);
    }
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, to_server) = server.into_split();
    tokio::select! {
        // Either end of it is the end of both.
        _ = read_along(from_client, to_server, &statements) => {}
        _ = tokio::io::copy(&mut from_server, &mut to_client) => {}
    }
}

/// Passes on message after message.
async fn read_along(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    statements: &AtomicU64,
) -> std::io::Result<()> {
    // The first message has no type.
    let mut kind = None;
    loop {
        let mut head = [0; 4];
        from.read_exact(&mut head).await?;
        let length = u32::from_be_bytes(head).saturating_sub(4) as usize;
        let mut message = Vec::with_capacity(length + 5);
        message.extend(kind);
        message.extend(head);
        let begins = message.len();
        message.resize(begins + length, 0);
        from.read_exact(&mut message[begins..]).await?;
        if matches!(kind, Some(b'Q' | b'E')) {
            statements.fetch_add(1, Ordering::Relaxed);
        }
        to.write_all(&message).await?;
        kind = Some(from.read_u8().await?);
    }
}
