//! Proxies in front of this server, whose word is taken for whom they bring: connections from their
//! networks begin with a header, see `protocol/src/proxy.rs`, and nobody else's do. Whose connection it
//! is decides about everything: limits, bans, policies, the audit trail, and the data connections.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use wharfinger_protocol::proxy::{self, Introduction};

/// How long a proxy may take for the header, which it sends at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// The networks of trusted proxies.
#[derive(Clone, Debug)]
pub(crate) struct Proxies(Arc<[IpNet]>);

/// The two ends of a connection, as far as its client knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) client: SocketAddr,
    /// What the client connected to: this host's own address, or the proxy's.
    pub(crate) reached: SocketAddr,
}

impl Proxies {
    pub(crate) fn new(networks: &[IpNet]) -> Self {
        Self(networks.into())
    }

    /// Whether a connection from there begins with a header.
    pub(crate) fn trust(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.0.iter().any(|network| network.contains(&peer))
    }
}

impl Ends {
    /// Of a connection that nobody passed on.
    pub(crate) fn of(stream: &TcpStream) -> io::Result<Self> {
        Ok(Self { client: canonical(stream.peer_addr()?), reached: canonical(stream.local_addr()?) })
    }

    /// Of a connection that a proxy passes on: takes the header off it, and not a byte more.
    pub(crate) async fn introduced(stream: &mut TcpStream) -> io::Result<Self> {
        match tokio::time::timeout(PATIENCE, header(stream)).await {
            Ok(Ok(Introduction::Client { client, reached })) => {
                Ok(Self { client: canonical(client), reached: canonical(reached) })
            }
            Ok(Ok(Introduction::Own)) => Self::of(stream),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

async fn header(stream: &mut TcpStream) -> io::Result<Introduction> {
    let mut header = Vec::new();
    loop {
        let taken = header.len();
        match proxy::missing(&header).map_err(io::Error::other)? {
            0 => return proxy::read(&header).map_err(io::Error::other),
            more => header.resize(taken + more, 0),
        }
        let Some(room) = header.get_mut(taken..) else { return Err(io::ErrorKind::Other.into()) };
        stream.read_exact(room).await?;
    }
}

/// An IPv4 peer of a dual-stack listener has its IPv4 address.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
