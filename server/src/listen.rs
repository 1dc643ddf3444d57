//! The listeners: taking addresses, accepting connections within the limits, and beginning a
//! session for each on one of the worker threads.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use wharfinger_accounts::client_network;

use crate::Services;
use crate::control::Control;
use crate::conversation::converse;
use crate::ftp::{Ftp, Link};
use crate::registry::{Place, Refusal};
use crate::workers::Workers;

/// Connections the kernel keeps for us while we are busy.
const BACKLOG: i32 = 1024;
/// How long accepting rests when the system is out of descriptors.
const REST: Duration = Duration::from_millis(100);

/// An address can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} (ftp.listen): {reason}")]
pub struct BindError {
    address: SocketAddr,
    reason: String,
}

/// Takes all addresses, or none.
pub(crate) fn bind(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, BindError> {
    addresses.iter().map(|address| bind_one(*address)).collect()
}

fn bind_one(address: SocketAddr) -> Result<TcpListener, BindError> {
    let listener = match open(address) {
        // A kernel without IPv6 can still serve those who have none either.
        Err(error)
            if error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
                && address.ip().is_unspecified() =>
        {
            open(SocketAddr::from(([0, 0, 0, 0], address.port())))
        }
        other => other,
    };
    listener.map_err(|error| BindError { address, reason: explain(&error) })
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "the address is in use; stop the program that has it, or set another one".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "not permitted; ports below 1024 need CAP_NET_BIND_SERVICE, or set a higher port".to_owned()
        }
        _ => error.to_string(),
    }
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // [::] takes IPv4 too; an address of one's own takes only itself.
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Accepts on all listeners, for ever.
pub(crate) async fn accept(listeners: Vec<TcpListener>, services: &Arc<Services>, workers: &Workers) {
    join_all(listeners.into_iter().map(|listener| accept_on(listener, services, workers))).await;
}

async fn accept_on(listener: TcpListener, services: &Arc<Services>, workers: &Workers) {
    loop {
        match listener.accept().await {
            Ok((stream, client)) => admit(stream, client.ip().to_canonical(), services, workers).await,
            Err(error) => {
                // Out of descriptors or memory: sessions that end will free some.
                tracing::error!(%error, "a connection can't be accepted");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

async fn admit(stream: TcpStream, client: IpAddr, services: &Arc<Services>, workers: &Workers) {
    if services.login_limits.is_banned(client, std::time::Instant::now()) {
        return turn_away(
            stream,
            client,
            "421 Too many failed logins from your address; try again later.\r\n",
        );
    }
    let place = match services.registry.admit(client, client_network(client)) {
        Ok(place) => place,
        Err(Refusal::Full) => {
            return turn_away(stream, client, "421 Too many sessions; try again later.\r\n");
        }
        Err(Refusal::FullForAddress) => {
            return turn_away(stream, client, "421 Too many sessions from your address; close one.\r\n");
        }
        Err(Refusal::Draining) => return turn_away(stream, client, "421 The server is stopping.\r\n"),
    };
    // The worker's own runtime is to watch the socket.
    let stream = match stream.into_std() {
        Ok(stream) => stream,
        Err(error) => return tracing::error!(%error, "a connection can't be handed to a worker"),
    };
    let services = Arc::clone(services);
    workers
        .begin(Box::new(move || {
            Box::pin(async move {
                if let Err(error) = serve(stream, place, services).await {
                    tracing::debug!(%error, %client, "the connection was lost before it began");
                }
            })
        }))
        .await;
}

/// A refused connection gets one line if it can take it at once, and no task of its own.
fn turn_away(mut stream: TcpStream, client: IpAddr, line: &'static str) {
    tracing::info!(%client, reply = line.trim_end(), "connection refused");
    tokio::spawn(async move {
        let say = async {
            stream.write_all(line.as_bytes()).await?;
            stream.shutdown().await
        };
        if let Ok(Err(error)) = tokio::time::timeout(Duration::from_secs(1), say).await {
            tracing::debug!(%error, %client, "the refused connection was gone first");
        }
    });
}

async fn serve(stream: std::net::TcpStream, place: Place, services: Arc<Services>) -> io::Result<()> {
    let control = Control::new(TcpStream::from_std(stream)?)?;
    let link = Link {
        live: place.live(),
        client: control.client(),
        local: control.local(),
        tls: services.tls.session().map_err(io::Error::other)?,
        protection: None,
        buffer_size_given: false,
        private: false,
        services: Arc::clone(&services),
    };
    tracing::debug!(session = place.id, client = %link.client, "connected");
    let stalled = Duration::from_secs(services.config.limits.stalled_seconds);
    converse(control, Ftp::new(link), &place, stalled).await;
    tracing::debug!(session = place.id, "closed");
    Ok(())
}
