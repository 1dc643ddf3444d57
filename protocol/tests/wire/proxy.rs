//! Headers of proxies: both versions, byte by byte, and what is none.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise; the settings for tests reach only #[test] functions"
)]

use std::net::SocketAddr;

use proptest::prelude::*;
use wharfinger_protocol::proxy::{Introduction, NoHeader, missing, read};

fn client(client: &str, reached: &str) -> Introduction {
    Introduction::Client { client: client.parse().unwrap(), reached: reached.parse().unwrap() }
}

fn version_2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    header.extend([command, family]);
    header.extend(u16::try_from(rest.len()).unwrap().to_be_bytes());
    header.extend(rest);
    header
}

/// Feeds the header and what comes behind it as a reader does; what is left behind.
fn taken(bytes: &[u8]) -> (Result<Introduction, NoHeader>, &[u8]) {
    let mut taken = 0;
    loop {
        match missing(&bytes[..taken]) {
            Ok(0) => return (read(&bytes[..taken]), &bytes[taken..]),
            Ok(more) if taken + more <= bytes.len() => taken += more,
            _ => return (Err(NoHeader), &bytes[taken..]),
        }
    }
}

#[test]
fn a_header_is_read_and_nothing_behind_it() {
    let v4 = [192, 0, 2, 7, 198, 51, 100, 1, 0xd4, 0x31, 0, 21];
    let mut v6 = [0; 36];
    (v6[15], v6[31], v6[33], v6[35]) = (1, 2, 80, 21);
    // Something said beside the addresses, of a kind nobody knows.
    let more = [&v4[..], &[0xEE, 0, 3, 1, 2, 3]].concat();
    let cases: [(Vec<u8>, Introduction); 8] = [
        (
            b"PROXY TCP4 192.0.2.7 198.51.100.1 54321 21\r\n".to_vec(),
            client("192.0.2.7:54321", "198.51.100.1:21"),
        ),
        (b"PROXY TCP6 2001:db8::7 ::1 54321 21\r\n".to_vec(), client("[2001:db8::7]:54321", "[::1]:21")),
        (b"PROXY UNKNOWN\r\n".to_vec(), Introduction::Own),
        (version_2(0x21, 0x11, &v4), client("192.0.2.7:54321", "198.51.100.1:21")),
        (version_2(0x21, 0x11, &more), client("192.0.2.7:54321", "198.51.100.1:21")),
        (version_2(0x21, 0x21, &v6), client("[::1]:80", "[::2]:21")),
        (version_2(0x20, 0x00, &[]), Introduction::Own),
        (version_2(0x20, 0x11, &v4), Introduction::Own),
    ];
    for (header, said) in cases {
        let bytes = [&header[..], b"USER alice\r\n"].concat();
        assert_eq!(
            taken(&bytes),
            (Ok(said), &b"USER alice\r\n"[..]),
            "{:?}",
            header.escape_ascii().to_string()
        );
    }
}

#[test]
fn what_no_tcp_proxy_sends_is_no_header() {
    let v4 = [192, 0, 2, 7, 198, 51, 100, 1, 0xd4, 0x31, 0, 21];
    let cases = [
        b"USER alice\r\nPASS secret\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 198.51.100.1 54321\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.256 198.51.100.1 54321 21\r\n".to_vec(),
        b"PROXY TCP4 2001:db8::7 ::1 54321 21\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 198.51.100.1 54321 21\n".to_vec(),
        [b"PROXY UNKNOWN ".to_vec(), vec![b'x'; 200], b"\r\n".to_vec()].concat(),
        version_2(0x11, 0x11, &v4),
        version_2(0x2f, 0x11, &v4),
        version_2(0x21, 0x11, &v4[..8]),
        // Over UDP, over a socket in the file system, and over nothing that is named.
        version_2(0x21, 0x12, &v4),
        version_2(0x21, 0x31, &[0; 216]),
        version_2(0x21, 0x00, &[]),
        version_2(0x21, 0x11, &[0; 3000]),
    ];
    for bytes in cases {
        assert_eq!(taken(&bytes).0, Err(NoHeader), "{:?}", bytes.escape_ascii().to_string());
    }
}

proptest! {
    #[test]
    fn what_is_said_is_read(from: SocketAddr, to: SocketAddr) {
        prop_assume!(from.is_ipv4() == to.is_ipv4());
        let kind = if from.is_ipv4() { "TCP4" } else { "TCP6" };
        let line = format!("PROXY {kind} {} {} {} {}\r\n", from.ip(), to.ip(), from.port(), to.port());
        let told = taken(line.as_bytes()).0;
        let plain = |address: SocketAddr| SocketAddr::new(address.ip(), address.port());
        prop_assert_eq!(told, Ok(Introduction::Client { client: plain(from), reached: plain(to) }));
    }
}
