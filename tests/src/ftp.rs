//! A raw FTP client: says exactly what a test tells it to, in clear or under TLS, and keeps the
//! transcript, which a failing test prints. It parses no more than it needs, with code of its own,
//! so that a mistake in the project's parser can't hide here.

mod data;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

pub use data::{Mode, Offer, active_command};

use crate::tls::Tls;
use crate::wire::{READ_LIMIT, Wire};

/// One reply, all its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The three digits.
    pub code: u16,
    /// The lines as sent, joined by `\n`.
    pub text: String,
}

/// A control connection and what has been said on it.
pub struct Ftp {
    wire: Option<Wire>,
    received: Vec<u8>,
    tls: Tls,
    transcript: Vec<String>,
    /// The server's end of the control connection.
    pub peer: SocketAddr,
    /// The client's end.
    pub local: SocketAddr,
}

impl Ftp {
    /// Connects and reads the greeting.
    pub fn connect(address: SocketAddr, tls: Tls) -> Ftp {
        let mut ftp = Ftp::dial(address, tls);
        let greeting = ftp.reply();
        assert_eq!(greeting.code, 220, "{greeting:?}");
        ftp
    }

    /// Connects and reads nothing yet.
    pub fn dial(address: SocketAddr, tls: Tls) -> Ftp {
        let socket = TcpStream::connect(address).unwrap();
        let local = socket.local_addr().unwrap();
        let wire = Some(Wire::new(socket));
        Ftp { wire, received: Vec::new(), tls, transcript: Vec::new(), peer: address, local }
    }

    /// Connects where TLS comes first, and reads the greeting.
    pub fn connect_under_tls(address: SocketAddr, tls: Tls) -> Ftp {
        let mut ftp = Ftp::dial(address, tls);
        ftp.shake_hands().unwrap();
        ftp.expect_reply(220);
        ftp
    }

    /// AUTH TLS and the handshake.
    pub fn secure(&mut self) {
        self.expect("AUTH TLS", 234);
        self.shake_hands().unwrap();
    }

    /// Begins TLS now, and says how that failed if it did.
    pub fn shake_hands(&mut self) -> std::io::Result<()> {
        let mut wire = self.wire.take().unwrap().secured(&self.tls);
        let shaken = wire.shake_hands();
        self.transcript.push(format!("-- TLS: {shaken:?} --"));
        self.wire = Some(wire);
        shaken
    }

    /// Goes on without TLS, once the server has said that it does. `told`: the server hears of it
    /// in TLS's own words, as the standard wants it and not every client does.
    pub fn leave_tls(&mut self, told: bool) {
        let Some(Wire::Secured(mut stream)) = self.wire.take() else { panic!("there is no TLS to leave") };
        assert_eq!(stream.read(&mut [0; 10]).unwrap(), 0, "the server ends TLS first");
        if told {
            stream.conn.send_close_notify();
            stream.flush().unwrap();
        }
        self.transcript.push("-- in clear --".to_owned());
        self.wire = Some(Wire::Clear(stream.sock));
    }

    /// USER and PASS, the reply to the last of them.
    pub fn log_in(&mut self, name: &str, password: &str) -> Reply {
        let reply = self.command(&format!("USER {name}"));
        if reply.code == 331 { self.command(&format!("PASS {password}")) } else { reply }
    }

    /// The certificate that the server has shown on this connection, DER.
    pub fn certificate(&self) -> Option<Vec<u8>> {
        self.wire.as_ref().and_then(Wire::certificate)
    }

    /// The TLS sessions of this client.
    pub fn tls(&self) -> &Tls {
        &self.tls
    }

    /// Uses other TLS sessions for the data connections to come.
    pub fn set_tls(&mut self, tls: Tls) {
        self.tls = tls;
    }

    /// Sends a command line and returns the reply.
    pub fn command(&mut self, line: &str) -> Reply {
        self.send(line);
        self.reply()
    }

    /// Sends a command line; the reply must have this code. Returns its text.
    pub fn expect(&mut self, line: &str, code: u16) -> String {
        let reply = self.command(line);
        assert_eq!(reply.code, code, "{line}: {}", reply.text);
        reply.text
    }

    /// Sends a command line and waits for nothing.
    pub fn send(&mut self, line: &str) {
        self.send_bytes(format!("{line}\r\n").as_bytes());
    }

    /// Sends these bytes as they are.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        let shown =
            String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).trim_end().replace("\r\n", "\nC: ");
        self.transcript.push(format!("C: {shown}"));
        let wire = self.wire.as_mut().unwrap();
        wire.write_all(bytes).and_then(|()| wire.flush()).expect("the control connection takes bytes");
    }

    /// The next reply.
    pub fn reply(&mut self) -> Reply {
        self.reply_within(READ_LIMIT)
    }

    /// The next reply, which must come within this time.
    pub fn reply_within(&mut self, limit: Duration) -> Reply {
        self.reply_or_end(limit).expect("a reply, not the connection's end")
    }

    /// The next reply must have this code. Returns its text.
    pub fn expect_reply(&mut self, code: u16) -> String {
        let reply = self.reply();
        assert_eq!(reply.code, code, "{}", reply.text);
        reply.text
    }

    /// All replies until the server closes the connection, which it must do within this time.
    pub fn replies_until_closed(&mut self, limit: Duration) -> Vec<Reply> {
        let start = Instant::now();
        let mut replies = Vec::new();
        while let Some(reply) = self.reply_or_end(limit.saturating_sub(start.elapsed())) {
            replies.push(reply);
        }
        replies
    }

    /// Cuts the control connection without QUIT.
    pub fn cut(&mut self) {
        self.wire.as_ref().unwrap().socket().shutdown(Shutdown::Both).unwrap();
    }

    /// The next reply, or `None` at the connection's end (in whatever way it ends).
    fn reply_or_end(&mut self, limit: Duration) -> Option<Reply> {
        let deadline = Instant::now() + limit;
        let mut lines = vec![self.line(deadline)?];
        let code = lines[0][..3].to_owned();
        if lines[0].as_bytes().get(3) == Some(&b'-') {
            let last = format!("{code} ");
            while !lines.last().unwrap().starts_with(&last) {
                lines.push(self.line(deadline)?);
            }
        }
        let code = code.parse().expect("a reply begins with three digits");
        Some(Reply { code, text: lines.join("\n") })
    }

    fn line(&mut self, deadline: Instant) -> Option<String> {
        loop {
            if let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.received.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
                self.transcript.push(format!("S: {line}"));
                return Some(line);
            }
            let wire = self.wire.as_mut().unwrap();
            let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            wire.socket().set_read_timeout(Some(left)).unwrap();
            let mut buffer = [0; 4096];
            match wire.read(&mut buffer) {
                Ok(0) => break,
                Ok(size) => self.received.extend_from_slice(&buffer[..size]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    panic!("neither a reply nor the connection's end in time")
                }
                Err(_) => break,
            }
        }
        self.transcript.push("-- closed --".to_owned());
        None
    }
}

impl Drop for Ftp {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- FTP {} -> {}\n{}\n---", self.local, self.peer, self.transcript.join("\n"));
        }
    }
}
