//! The header with which a proxy introduces a connection: whose it is and where it was going. Both
//! versions of the PROXY protocol, as `HAProxy` wrote it down (doc/proxy-protocol.txt). How many bytes of
//! it are still to come is known at every point, so a reader takes none of what comes behind it.

use std::net::SocketAddr;

use ppp::{v1, v2};

/// What begins a header of version 2.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// A header of version 2 without its addresses.
const FIXED: usize = 16;
/// Addresses and all that may be said beside them; version 2 has room for more, and no proxy uses it.
const LONGEST_REST: usize = 2048;
/// What begins a header of version 1.
const WORD: &[u8] = b"PROXY ";
/// A header of version 1, §2.1.
const LONGEST_LINE: usize = 107;

/// What a whole header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Introduction {
    /// The proxy speaks for itself: it looks whether we live.
    Own,
    /// It passes on what a client sends.
    Client {
        /// Where the client is.
        client: SocketAddr,
        /// The address that it connected to.
        reached: SocketAddr,
    },
}

/// The bytes are no header, or none that a TCP proxy sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no PROXY header")]
pub struct NoHeader;

/// How many bytes are to come next, at the least; none when the header is whole.
pub fn missing(header: &[u8]) -> Result<usize, NoHeader> {
    // No header of either version is shorter than the signature.
    if header.len() < SIGNATURE.len() {
        return Ok(SIGNATURE.len() - header.len());
    }
    if header.starts_with(SIGNATURE) {
        let Some((fixed, rest)) = header.split_at_checked(FIXED) else { return Ok(FIXED - header.len()) };
        let announced = match fixed {
            [.., high, low] => usize::from(u16::from_be_bytes([*high, *low])),
            _ => return Err(NoHeader),
        };
        if announced > LONGEST_REST {
            return Err(NoHeader);
        }
        return announced.checked_sub(rest.len()).ok_or(NoHeader);
    }
    match header {
        [.., b'\n'] if header.starts_with(WORD) => Ok(0),
        _ if header.starts_with(WORD) && header.len() < LONGEST_LINE => Ok(1),
        _ => Err(NoHeader),
    }
}

/// Reads a whole header.
pub fn read(header: &[u8]) -> Result<Introduction, NoHeader> {
    if header.starts_with(SIGNATURE) {
        let header = v2::Header::try_from(header).map_err(|_| NoHeader)?;
        return match (header.command, header.protocol, header.addresses) {
            // §2.2: whatever else such a header says is not to be used.
            (v2::Command::Local, ..) => Ok(Introduction::Own),
            (_, v2::Protocol::Stream, v2::Addresses::IPv4(at)) => {
                Ok(client((at.source_address, at.source_port), (at.destination_address, at.destination_port)))
            }
            (_, v2::Protocol::Stream, v2::Addresses::IPv6(at)) => {
                Ok(client((at.source_address, at.source_port), (at.destination_address, at.destination_port)))
            }
            _ => Err(NoHeader),
        };
    }
    match v1::Header::try_from(header).map_err(|_| NoHeader)?.addresses {
        v1::Addresses::Unknown => Ok(Introduction::Own),
        v1::Addresses::Tcp4(at) => {
            Ok(client((at.source_address, at.source_port), (at.destination_address, at.destination_port)))
        }
        v1::Addresses::Tcp6(at) => {
            Ok(client((at.source_address, at.source_port), (at.destination_address, at.destination_port)))
        }
    }
}

fn client(client: impl Into<SocketAddr>, reached: impl Into<SocketAddr>) -> Introduction {
    Introduction::Client { client: client.into(), reached: reached.into() }
}
