//! The ports that passive data connections come in on.
//! A session has at most one of them; while the range allows, it has it to itself. When every
//! port is taken, sessions of different client addresses share one: whoever accepts a
//! connection of another's address hands it over. It knows no protocol and no TLS.

mod rested;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use wharfinger_config::PortRange;

use crate::proxies::{Ends, Proxies};
use rested::Rested;

/// Connections waiting to be accepted on one port. Most clients connect before they say what is to be
/// transferred, and nobody accepts before that: all who share the port wait there, and strangers too,
/// who must not keep them out.
const BACKLOG: i32 = 1024;
/// Headers of proxies waited for at once on one port.
const INTRODUCTIONS: usize = 16;
/// Connections waiting to be picked up by the session that shares a port.
const QUEUE: usize = 8;

/// The configured range, and who has which port.
pub(crate) struct PassivePorts {
    range: PortRange,
    /// Where the search for a free port goes on, so that ports are not reused at once.
    cursor: AtomicUsize,
    open: Mutex<HashMap<SocketAddr, Weak<Port>>>,
    rested: Arc<Rested>,
}

/// An open port, of one session or of several with different client addresses.
struct Port {
    address: SocketAddr,
    listener: TcpListener,
    sessions: Mutex<HashMap<IpAddr, mpsc::Sender<TcpStream>>>,
    /// How often it was claimed.
    claims: AtomicU32,
}

/// A connection and whose it is, once its proxy has said so.
type Introduction = Pin<Box<dyn Future<Output = io::Result<(TcpStream, IpAddr)>> + Send + Sync>>;

/// One session's claim on a port. Dropping it ends the claim. After the last one the port rests, if it
/// was used; where the session was reset before, it is closed.
pub(crate) struct PassiveListener {
    port: Arc<Port>,
    rested: Arc<Rested>,
    client: IpAddr,
    proxies: Proxies,
    /// Connections of proxies, whose headers are still to come.
    introductions: FuturesUnordered<Introduction>,
    handed_over: mpsc::Receiver<TcpStream>,
    used: bool,
}

/// Why there is no port.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoPort {
    /// Every port is taken by this client's own sessions or by other programs.
    #[error("all passive ports are in use")]
    Exhausted,
    /// The system refuses to open a listener.
    #[error("a passive port can't be opened: {0}")]
    Refused(#[from] io::Error),
}

impl PassivePorts {
    pub(crate) fn new(range: PortRange) -> Arc<Self> {
        Arc::new(Self { range, cursor: AtomicUsize::new(0), open: Mutex::default(), rested: Arc::default() })
    }

    /// A port on this local address for a client with that address.
    pub(crate) fn claim(
        &self,
        local: IpAddr,
        client: IpAddr,
        proxies: &Proxies,
    ) -> Result<PassiveListener, NoPort> {
        let mut open = lock(&self.open);
        let join = |port| Port::join(port, client, proxies, &self.rested);
        if let Some(claim) = self.rested.take(local).and_then(join) {
            return Ok(claim);
        }
        let mut port = self.open_one(&mut open, local)?;
        if port.is_none() && self.rested.close() {
            port = self.open_one(&mut open, local)?;
        }
        if let Some(port) = port {
            return join(port).ok_or(NoPort::Exhausted);
        }
        let shared = open.values().filter_map(Weak::upgrade).filter(|port| port.address.ip() == local);
        shared.into_iter().find_map(join).ok_or(NoPort::Exhausted)
    }

    /// Opens a port that is free, if there is one.
    fn open_one(
        &self,
        open: &mut HashMap<SocketAddr, Weak<Port>>,
        local: IpAddr,
    ) -> Result<Option<Arc<Port>>, NoPort> {
        open.retain(|_, port| port.strong_count() > 0);
        for address in self.candidates(local) {
            if open.contains_key(&address) {
                continue;
            }
            match listen(address) {
                Ok(listener) => {
                    let (sessions, claims) = (Mutex::default(), AtomicU32::new(0));
                    let port = Arc::new(Port { address, listener, sessions, claims });
                    open.insert(address, Arc::downgrade(&port));
                    return Ok(Some(port));
                }
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(NoPort::Refused(error)),
            }
        }
        Ok(None)
    }

    /// Closes ports that have rested long enough, for ever.
    pub(crate) async fn tidy(&self) {
        self.rested.tidy().await;
    }

    /// How many ports there are, on each local address.
    pub(crate) fn count(&self) -> usize {
        usize::from(self.range.last - self.range.first) + 1
    }

    /// How many of them sessions have.
    pub(crate) fn in_use(&self) -> usize {
        let open: Vec<_> = lock(&self.open).values().filter_map(Weak::upgrade).collect();
        open.iter().filter(|port| !lock(&port.sessions).is_empty()).count()
    }

    fn candidates(&self, local: IpAddr) -> impl Iterator<Item = SocketAddr> + use<> {
        let ports = self.count();
        let start = self.cursor.fetch_add(1, Ordering::Relaxed);
        let first = self.range.first;
        (0..ports).filter_map(move |step| {
            let offset = u16::try_from((start + step) % ports).ok()?;
            Some(SocketAddr::new(local, first + offset))
        })
    }
}

impl Port {
    /// A claim for this client, unless one of its sessions has one here already.
    fn join(
        port: Arc<Self>,
        client: IpAddr,
        proxies: &Proxies,
        rested: &Arc<Rested>,
    ) -> Option<PassiveListener> {
        let mut sessions = lock(&port.sessions);
        if sessions.contains_key(&client) {
            return None;
        }
        let (sender, handed_over) = mpsc::channel(QUEUE);
        sessions.insert(client, sender);
        drop(sessions);
        port.claims.fetch_add(1, Ordering::Relaxed);
        let (proxies, introductions, rested) = (proxies.clone(), FuturesUnordered::new(), Arc::clone(rested));
        Some(PassiveListener { port, rested, client, proxies, introductions, handed_over, used: false })
    }

    fn claims(&self) -> u32 {
        self.claims.load(Ordering::Relaxed)
    }

    /// Gives a connection to the session that waits for its address; a stranger's is closed.
    fn hand_over(&self, peer: IpAddr, stream: TcpStream) {
        if let Some(session) = lock(&self.sessions).get(&peer) {
            // A full queue means more connections than a client has use for.
            drop(session.try_send(stream));
        } else {
            tracing::info!(%peer, port = self.address.port(), "stranger on a passive port refused");
        }
    }
}

impl PassiveListener {
    /// Where the client is to connect.
    pub(crate) fn address(&self) -> SocketAddr {
        self.port.address
    }

    /// The next connection from the claiming client's address. Cancel-safe.
    pub(crate) async fn accept(&mut self) -> io::Result<TcpStream> {
        let accepted = self.next().await?;
        self.used = true;
        Ok(accepted)
    }

    async fn next(&mut self) -> io::Result<TcpStream> {
        loop {
            tokio::select! {
                biased;
                Some(stream) = self.handed_over.recv() => return Ok(stream),
                Some(introduced) = self.introductions.next() => match introduced {
                    Ok((stream, client)) if client == self.client => return Ok(stream),
                    Ok((stream, client)) => self.port.hand_over(client, stream),
                    Err(error) => tracing::info!(%error, "a proxy's data connection came without its header"),
                },
                accepted = self.port.listener.accept(), if self.introductions.len() < INTRODUCTIONS => {
                    let (stream, peer) = accepted?;
                    let peer = peer.ip().to_canonical();
                    if self.proxies.trust(peer) {
                        self.introductions.push(Box::pin(introduce(stream)));
                    } else if peer == self.client {
                        return Ok(stream);
                    } else {
                        self.port.hand_over(peer, stream);
                    }
                }
            }
        }
    }
}

impl Drop for PassiveListener {
    fn drop(&mut self) {
        let mut sessions = lock(&self.port.sessions);
        sessions.remove(&self.client);
        if sessions.is_empty() && self.used {
            self.rested.keep(&self.port);
        }
    }
}

async fn introduce(mut stream: TcpStream) -> io::Result<(TcpStream, IpAddr)> {
    let ends = Ends::introduced(&mut stream).await?;
    Ok((stream, ends.client.ip()))
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    // Connections of earlier transfers in TIME_WAIT do not keep the port.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// A panic elsewhere leaves these maps whole, so a poisoned lock is still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
