//! Taking an address to listen on, and saying why it can't be had.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// Connections the kernel keeps for us while we are busy.
const BACKLOG: i32 = 1024;

/// An address can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} ({key}): {reason}")]
pub struct BindError {
    address: SocketAddr,
    key: &'static str,
    reason: String,
}

/// The sockets handed over; where there are none, those of the addresses that stand under this key.
pub(super) fn all(
    handed_over: Vec<std::net::TcpListener>,
    addresses: &[SocketAddr],
    key: &'static str,
) -> Result<Vec<(SocketAddr, TcpListener)>, BindError> {
    if handed_over.is_empty() {
        let bound = addresses.iter().map(|&address| {
            let socket = bind(address, key)?;
            Ok((socket.local_addr().unwrap_or(address), socket))
        });
        return bound.collect();
    }
    let taken = handed_over.into_iter().map(|socket| {
        // One that doesn't say where it is has gone wrong as a whole.
        let address = socket.local_addr().unwrap_or(SocketAddr::from(([0, 0, 0, 0], 0)));
        let refused = |error: io::Error| BindError { address, key, reason: explain(&error) };
        Ok((address, TcpListener::from_std(socket).map_err(refused)?))
    });
    taken.collect()
}

/// Takes an address that stands under this key of the configuration.
fn bind(address: SocketAddr, key: &'static str) -> Result<TcpListener, BindError> {
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
    listener.map_err(|error| BindError { address, key, reason: explain(&error) })
}

/// What the operator can do about it.
pub(crate) fn explain(error: &io::Error) -> String {
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
