//! Data connections of the raw client: agreed on in any of FTP's four ways, then used in clear or
//! under the control connection's TLS session.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};

use socket2::SockRef;

use super::Ftp;
use crate::wire::{READ_LIMIT, Wire};

/// How a data connection comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The server listens, IPv4 (RFC 959).
    Pasv,
    /// The server listens (RFC 2428).
    Epsv,
    /// The client listens, IPv4 (RFC 959).
    Port,
    /// The client listens (RFC 2428).
    Eprt,
}

/// A data connection agreed on, before the transfer command.
pub enum Offer {
    /// The client has connected to the server's port.
    Connected(TcpStream),
    /// The server will connect here.
    Listening(TcpListener),
}

impl Offer {
    /// The connection itself, in clear.
    pub fn accept(self) -> Wire {
        match self {
            Offer::Connected(socket) => Wire::new(socket),
            Offer::Listening(listener) => {
                // Linux applies the receive time-out to accept as well.
                SockRef::from(&listener).set_read_timeout(Some(READ_LIMIT)).unwrap();
                Wire::new(listener.accept().expect("the server connects").0)
            }
        }
    }
}

impl Ftp {
    /// Agrees on a data connection.
    pub fn offer(&mut self, mode: Mode) -> Offer {
        match mode {
            Mode::Pasv | Mode::Epsv => {
                let address = self.passive(mode);
                Offer::Connected(TcpStream::connect(address).unwrap())
            }
            Mode::Port | Mode::Eprt => {
                let listener = TcpListener::bind((self.local.ip(), 0)).unwrap();
                self.active(mode, listener.local_addr().unwrap());
                Offer::Listening(listener)
            }
        }
    }

    /// PASV or EPSV: where the server listens.
    pub fn passive(&mut self, mode: Mode) -> SocketAddr {
        if mode == Mode::Epsv {
            let text = self.expect("EPSV", 229);
            let port =
                text.split("(|||").nth(1).and_then(|rest| rest.split_once("|)")).expect("(|||port|)").0;
            return SocketAddr::new(self.peer.ip(), port.parse().unwrap());
        }
        let text = self.expect("PASV", 227);
        let inner = text.split_once('(').and_then(|(_, rest)| rest.split_once(')')).expect("(h,h,h,h,p,p)").0;
        let parts: Vec<u8> = inner.split(',').map(|part| part.parse().unwrap()).collect();
        let ip = IpAddr::from(<[u8; 4]>::try_from(&parts[..4]).unwrap());
        SocketAddr::new(ip, u16::from_be_bytes([parts[4], parts[5]]))
    }

    /// PORT or EPRT for an address of the client's; must be accepted.
    pub fn active(&mut self, mode: Mode, address: SocketAddr) {
        self.expect(&active_command(mode, address), 200);
    }

    /// A transfer up to its 150: agrees on a connection, sends the command, returns the connection
    /// under the control connection's TLS session, hands shaken.
    pub fn begin(&mut self, mode: Mode, command: &str) -> Wire {
        let offer = self.offer(mode);
        let reply = self.command(command);
        assert!([125, 150].contains(&reply.code), "{command}: {}", reply.text);
        let mut wire = offer.accept().secured(self.tls());
        wire.shake_hands().expect("a TLS handshake on the data connection");
        wire
    }

    /// A transfer to the client, to its 226.
    pub fn receive(&mut self, mode: Mode, command: &str) -> Vec<u8> {
        let mut wire = self.begin(mode, command);
        let mut all = Vec::new();
        wire.read_to_end(&mut all).expect("the data connection ends with close_notify");
        self.expect_reply(226);
        all
    }

    /// A listing or another text, to its 226.
    pub fn receive_text(&mut self, mode: Mode, command: &str) -> String {
        String::from_utf8(self.receive(mode, command)).unwrap()
    }

    /// A transfer to the server, to its 226.
    pub fn send_file(&mut self, mode: Mode, command: &str, bytes: &[u8]) {
        let mut wire = self.begin(mode, command);
        wire.write_all(bytes).unwrap();
        wire.finish().unwrap();
        self.expect_reply(226);
    }
}

/// PORT or EPRT as written on the wire.
pub fn active_command(mode: Mode, address: SocketAddr) -> String {
    let [high, low] = address.port().to_be_bytes();
    match (mode, address.ip()) {
        (Mode::Port, IpAddr::V4(ip)) => format!("PORT {},{high},{low}", ip.to_string().replace('.', ",")),
        (_, IpAddr::V4(ip)) => format!("EPRT |1|{ip}|{}|", address.port()),
        (_, IpAddr::V6(ip)) => format!("EPRT |2|{ip}|{}|", address.port()),
    }
}
