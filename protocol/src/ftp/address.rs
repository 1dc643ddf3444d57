//! Addresses of data connections, as PORT, PASV (RFC 959), EPRT and EPSV
//! (RFC 2428) write them.
//!
//! Any address that is well formed is read: whether the server may connect to
//! it is not decided here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4};

use crate::ftp::{Code, Reply};
use crate::number::{decimal, literal};

/// Reads `h1,h2,h3,h4,p1,p2`, the argument of PORT.
pub fn parse_port(text: &[u8]) -> Option<SocketAddrV4> {
    let mut numbers = text.split(|&byte| byte == b',').map(decimal::<u8>);
    let mut next = || numbers.next()?;
    let address = Ipv4Addr::new(next()?, next()?, next()?, next()?);
    let port = u16::from_be_bytes([next()?, next()?]);
    numbers.next().is_none().then_some(SocketAddrV4::new(address, port))
}

/// Writes `h1,h2,h3,h4,p1,p2`.
pub fn write_port(out: &mut Vec<u8>, address: SocketAddrV4) {
    let [h1, h2, h3, h4] = address.ip().octets();
    let [p1, p2] = address.port().to_be_bytes();
    out.extend_from_slice(format!("{h1},{h2},{h3},{h4},{p1},{p2}").as_bytes());
}

/// Why an argument of EPRT was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExtendedError {
    /// It is not written as RFC 2428 §2 says: 501.
    #[error("not of the form |family|address|port|")]
    Malformed,
    /// Its family is neither 1 nor 2: 522.
    #[error("the network protocol is neither 1 nor 2")]
    Family,
}

/// Reads `|family|address|port|`, the argument of EPRT; any printable byte may
/// stand for the bar.
pub fn parse_extended(text: &[u8]) -> Result<SocketAddr, ExtendedError> {
    let [family, address, port] = fields(text).ok_or(ExtendedError::Malformed)?;
    let family = decimal::<u32>(family).ok_or(ExtendedError::Malformed)?;
    let address = match family {
        1 => literal::<Ipv4Addr>(address).map(IpAddr::V4),
        2 => literal::<Ipv6Addr>(address).map(IpAddr::V6),
        _ => return Err(ExtendedError::Family),
    };
    let port = decimal::<u16>(port);
    address.zip(port).map(SocketAddr::from).ok_or(ExtendedError::Malformed)
}

/// Writes `|family|address|port|`. An IPv6 scope has no place in it.
pub fn write_extended(out: &mut Vec<u8>, address: SocketAddr) {
    let family = if address.is_ipv4() { 1 } else { 2 };
    out.extend_from_slice(format!("|{family}|{}|{}|", address.ip(), address.port()).as_bytes());
}

/// PASV's 227 with the address the client is to connect to.
pub fn passive_reply(address: SocketAddrV4) -> Reply {
    let mut text = b"Entering Passive Mode (".to_vec();
    write_port(&mut text, address);
    text.extend_from_slice(b").");
    Reply::new(Code::ENTERING_PASSIVE, text)
}

/// EPSV's 229 with the port the client is to connect to.
pub fn extended_passive_reply(port: u16) -> Reply {
    Reply::new(Code::ENTERING_EXTENDED_PASSIVE, format!("Entering Extended Passive Mode (|||{port}|)"))
}

/// Finds the address in a 227's text. The brackets are not required: RFC 1123
/// §4.1.2.6 has clients look for the digits.
pub fn parse_passive(text: &[u8]) -> Option<SocketAddrV4> {
    let begin = match text.iter().position(|&byte| byte == b'(') {
        Some(bracket) => bracket + 1,
        None => text.iter().position(u8::is_ascii_digit)?,
    };
    let text = text.get(begin..)?;
    let end = text.iter().position(|&byte| byte != b',' && !byte.is_ascii_digit()).unwrap_or(text.len());
    parse_port(text.get(..end)?)
}

/// Finds the port in a 229's text (RFC 2428 §3). Family and address must be empty.
pub fn parse_extended_passive(text: &[u8]) -> Option<u16> {
    let begin = text.iter().position(|&byte| byte == b'(')? + 1;
    let end = text.iter().rposition(|&byte| byte == b')')?;
    match fields(text.get(begin..end)?)? {
        [b"", b"", port] => decimal(port),
        _ => None,
    }
}

/// The three fields between four delimiters, the first byte being the delimiter.
fn fields(text: &[u8]) -> Option<[&[u8]; 3]> {
    let (&delimiter, rest) = text.split_first().filter(|(byte, _)| byte.is_ascii_graphic())?;
    let mut fields = rest.split(|&byte| byte == delimiter);
    let found = [fields.next()?, fields.next()?, fields.next()?];
    let after = fields.next()?;
    (after.is_empty() && fields.next().is_none()).then_some(found)
}
