//! A raw FTP client: says exactly what a test tells it to, in clear or under TLS, and keeps the
//! transcript, which a failing test prints. It parses no more than it needs, with code of its own,
//! so that a mistake in the project's parser can't hide here.

mod attempts;
mod data;

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

pub use data::{Mode, Offer, active_command};

use crate::talk::Talk;
use crate::tls::Tls;
use crate::wire::READ_LIMIT;

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
    talk: Talk,
    tls: Tls,
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
        Ftp::over(TcpStream::connect(address).unwrap(), tls)
    }

    /// On a TCP connection made already; reads nothing yet.
    pub fn over(socket: TcpStream, tls: Tls) -> Ftp {
        let peer = socket.peer_addr().unwrap();
        let talk = Talk::over(socket);
        let local = talk.local();
        Ftp { talk, tls, peer, local }
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
        self.talk.secure(&self.tls)
    }

    /// Goes on without TLS, once the server has said that it does. `told`: the server hears of it
    /// in TLS's own words, as the standard wants it and not every client does.
    pub fn leave_tls(&mut self, told: bool) {
        self.talk.leave_tls(told);
    }

    /// USER and PASS, the reply to the last of them.
    pub fn log_in(&mut self, name: &str, password: &str) -> Reply {
        let reply = self.command(&format!("USER {name}"));
        if reply.code == 331 { self.command(&format!("PASS {password}")) } else { reply }
    }

    /// The certificate that the server has shown on this connection, DER.
    pub fn certificate(&self) -> Option<Vec<u8>> {
        self.talk.certificate()
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
        self.talk.send_bytes(bytes);
    }

    /// Sends these bytes to a server that may have closed the connection.
    pub fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.talk.try_send(bytes)
    }

    /// Sends a byte that TCP calls urgent, which only clear text can.
    pub fn send_urgent(&mut self, byte: u8) {
        self.talk.send_urgent(byte);
    }

    /// Ends this end of the control connection, and still reads the other.
    pub fn finish_sending(&mut self) {
        self.talk.finish_sending();
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
        self.talk.cut();
    }

    /// The next reply, or `None` at the connection's end (in whatever way it ends).
    pub fn reply_or_end(&mut self, limit: Duration) -> Option<Reply> {
        let deadline = Instant::now() + limit;
        let mut lines = vec![self.talk.line(deadline)?];
        let code = lines[0][..3].to_owned();
        if lines[0].as_bytes().get(3) == Some(&b'-') {
            let last = format!("{code} ");
            while !lines.last().unwrap().starts_with(&last) {
                lines.push(self.talk.line(deadline)?);
            }
        }
        let code = code.parse().expect("a reply begins with three digits");
        Some(Reply { code, text: lines.join("\n") })
    }
}
