//! The data connection: how it comes about and who may be at its other end.
//! Passive or active, plain or TLS; only the control connection's address is let in, and over
//! TLS, as the policy says, only the control connection's own TLS session (see `tls.rs`).
//! It knows no commands and no files.

mod gateway;
mod offer;
pub(crate) mod passive;
pub(crate) mod public_address;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use rustls::HandshakeKind;
use rustls::server::ServerConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};
use wharfinger_config::Binding;

use offer::Candidate;
pub(crate) use offer::PassiveOffer;

/// Handshakes under way at once on one passive port; a thief's idle connection can't keep the
/// rightful client out, and more than a few are no client's.
const CANDIDATES: usize = 4;
/// After a connection failed its checks, how long a better one is waited for.
const SECOND_CHANCE: Duration = Duration::from_secs(1);

/// What PASV, EPSV, PORT or EPRT agreed on.
pub(crate) enum Agreement {
    /// The client connects to us.
    Passive(PassiveOffer),
    /// We connect to the client, from the control connection's local address; port 0 is any.
    Active { from: SocketAddr, to: SocketAddr },
}

/// All that is needed to open the data connection of one transfer.
pub(crate) struct DataPlan {
    pub(crate) agreement: Agreement,
    pub(crate) tls: Option<DataTls>,
    pub(crate) patience: Duration,
}

/// TLS of one data connection.
pub(crate) struct DataTls {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) binding: Binding,
}

/// An open data connection.
pub(crate) enum DataConnection {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Why there is no data connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataError {
    /// Nobody connected in time, or the client's port didn't answer in time.
    #[error("no data connection came about in time")]
    TimedOut,
    /// The system or the client's host refused.
    #[error("the data connection failed: {0}")]
    Failed(#[from] io::Error),
    /// The TLS handshake failed.
    #[error("the TLS handshake on the data connection failed: {0}")]
    Handshake(io::Error),
    /// The handshake was a full one where only this session's own ticket is accepted.
    #[error("the data connection did not resume the control connection's TLS session")]
    NotBound,
}

impl DataError {
    /// How the TLS handshake of a refused connection went, as far as that is known.
    pub(crate) fn handshake(&self) -> Option<HandshakeKind> {
        matches!(self, Self::NotBound).then_some(HandshakeKind::Full)
    }
}

impl DataPlan {
    /// Opens the connection: the first one that passes every check.
    pub(crate) async fn open(self) -> Result<DataConnection, DataError> {
        let deadline = Instant::now() + self.patience;
        match self.agreement {
            Agreement::Passive(offer) => accept(offer, self.tls, deadline).await,
            Agreement::Active { from, to } => {
                let open = async {
                    let stream = dial(from, to).await?;
                    secure(stream, self.tls.as_ref()).await
                };
                timeout_at(deadline, open).await.unwrap_or(Err(DataError::TimedOut))
            }
        }
    }
}

async fn accept(
    offer: PassiveOffer,
    tls: Option<DataTls>,
    deadline: Instant,
) -> Result<DataConnection, DataError> {
    let PassiveOffer { mut listener, first } = offer;
    let mut candidates = FuturesUnordered::new();
    candidates.extend(first.map(|first| first.vetted(tls.as_ref())));
    let mut failure = DataError::TimedOut;
    let mut end = pin!(sleep_until(deadline));
    loop {
        tokio::select! {
            accepted = listener.accept(), if candidates.len() < CANDIDATES => {
                let stream = accepted?;
                if tls.is_none() {
                    return Ok(DataConnection::Plain(stream));
                }
                candidates.push(Candidate::Connected(stream).vetted(tls.as_ref()));
            }
            Some(candidate) = candidates.next() => match candidate {
                Ok(connection) => return Ok(connection),
                Err(error) => {
                    failure = error;
                    end.as_mut().reset(deadline.min(Instant::now() + SECOND_CHANCE));
                }
            },
            () = &mut end => return Err(failure),
        }
    }
}

async fn dial(from: SocketAddr, to: SocketAddr) -> Result<TcpStream, DataError> {
    let socket = if to.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if from.port() != 0 {
        // Other sessions' connections come from there too, each to a port of its own.
        socket.set_reuseaddr(true)?;
    }
    socket.bind(from)?;
    Ok(socket.connect(to).await?)
}

/// Whether the system lets active data connections come from this port; 0 is any.
pub(crate) fn may_dial_from(port: u16) -> io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from(([0, 0, 0, 0], port)))
}

/// The TLS handshake, where there is one, and the check that it is this session's.
async fn secure(stream: TcpStream, tls: Option<&DataTls>) -> Result<DataConnection, DataError> {
    let Some(tls) = tls else { return Ok(DataConnection::Plain(stream)) };
    // The tickets go out alone, before the first data; Nagle's algorithm would keep the data back
    // until a client that delays its acknowledgement (GnuTLS: 40 ms) has taken them.
    stream.set_nodelay(true)?;
    bound(shake_hands(stream, tls).await, tls.binding)
}

fn shake_hands(stream: TcpStream, tls: &DataTls) -> Accept<TcpStream> {
    TlsAcceptor::from(Arc::clone(&tls.config)).accept(stream)
}

/// The check that a connection after its handshake is this session's.
fn bound(shaken: io::Result<TlsStream<TcpStream>>, binding: Binding) -> Result<DataConnection, DataError> {
    let mut stream = shaken.map_err(DataError::Handshake)?;
    let (_, session) = stream.get_mut();
    if binding == Binding::Required && session.handshake_kind() != Some(HandshakeKind::Resumed) {
        return Err(DataError::NotBound);
    }
    // The engine flushes after each buffer it writes, so one buffer is the most that waits here.
    session.set_buffer_limit(None);
    Ok(DataConnection::Tls(Box::new(stream)))
}

impl DataConnection {
    /// How the TLS handshake went, where there was one.
    pub(crate) fn handshake(&self) -> Option<HandshakeKind> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => stream.get_ref().1.handshake_kind(),
        }
    }

    /// Reads some bytes; 0 is the end. A TLS stream cut off without `close_notify` is an error
    /// of kind `UnexpectedEof`.
    pub(crate) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer).await,
            Self::Tls(stream) => stream.read(buffer).await,
        }
    }

    /// Writes all of it, and waits until TLS holds nothing back.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(bytes).await,
            Self::Tls(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
        }
    }

    /// Ends the stream in good order: `close_notify` where there is TLS, then FIN.
    pub(crate) async fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.shutdown().await,
            Self::Tls(stream) => stream.shutdown().await,
        }
    }
}
