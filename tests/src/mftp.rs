//! A raw MFTP client: says exactly what a test tells it to, in clear or under TLS. It reads no more
//! than it needs, with code of its own, so that a mistake in the project's parser can't hide here.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::talk::Talk;
use crate::tls::Tls;
use crate::wire::{READ_LIMIT, Wire};

/// A control connection.
pub struct Mftp {
    talk: Talk,
    tls: Option<Tls>,
}

impl Mftp {
    /// Connects, begins TLS if there is to be any, and reads the greeting.
    pub fn connect(address: SocketAddr, tls: Option<Tls>) -> Mftp {
        let mut mftp = Mftp::dial(address, tls);
        assert_eq!(mftp.answer(), "AOK 220 Ready");
        mftp
    }

    /// Connects, begins TLS if there is to be any, and reads nothing yet.
    pub fn dial(address: SocketAddr, tls: Option<Tls>) -> Mftp {
        let mut talk = Talk::dial(address);
        if let Some(tls) = &tls {
            talk.secure(tls).unwrap();
        }
        Mftp { talk, tls }
    }

    /// Whether the server ends a connection under this TLS before it is greeted. Under TLS 1.3 the
    /// client hears of it when it thinks that the handshake is done.
    pub fn is_turned_away(address: SocketAddr, tls: &Tls) -> bool {
        let mut talk = Talk::dial(address);
        talk.secure(tls).is_err() || talk.line(Instant::now() + READ_LIMIT).is_none()
    }

    /// Uses other TLS sessions, or none, for the data channels to come.
    pub fn set_tls(&mut self, tls: Option<Tls>) {
        self.tls = tls;
    }

    /// USER and PASS, the answer to the last of them.
    pub fn log_in(&mut self, name: &str, password: &str) -> String {
        self.expect(&format!("USER {name}"), "AOK 630");
        self.command(&format!("PASS {password}"))
    }

    /// Sends these bytes as they are.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.talk.send_bytes(bytes);
    }

    /// Sends these bytes to a server that may have closed the connection.
    pub fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.talk.try_send(bytes)
    }

    /// Ends this end of the control connection, and still reads the other.
    pub fn finish_sending(&mut self) {
        self.talk.finish_sending();
    }

    /// Sends a command line and waits for nothing.
    pub fn send(&mut self, line: &str) {
        self.send_bytes(format!("{line}\r\n").as_bytes());
    }

    /// Sends a command line and returns the answer.
    pub fn command(&mut self, line: &str) -> String {
        self.send(line);
        self.answer()
    }

    /// Sends a command line; the answer must begin so. Returns what stands behind that.
    pub fn expect(&mut self, line: &str, begins: &str) -> String {
        self.send(line);
        self.expect_answer(begins)
    }

    /// The next answer.
    pub fn answer(&mut self) -> String {
        self.answer_or_end().expect("an answer, not the connection's end")
    }

    /// The next answer, or `None` at the connection's end.
    pub fn answer_or_end(&mut self) -> Option<String> {
        self.talk.line(Instant::now() + READ_LIMIT)
    }

    /// The next answer must begin so. Returns what stands behind that.
    pub fn expect_answer(&mut self, begins: &str) -> String {
        let answer = self.answer();
        match answer.strip_prefix(begins) {
            Some(rest) => rest.trim_start().to_owned(),
            None => panic!("{begins} expected, not {answer}"),
        }
    }

    /// All answers until the server closes the connection, which it must do within this time.
    pub fn answers_until_closed(&mut self, limit: Duration) -> Vec<String> {
        let deadline = Instant::now() + limit;
        std::iter::from_fn(|| self.talk.line(deadline)).collect()
    }

    /// Cuts the control connection without QUIT.
    pub fn cut(&mut self) {
        self.talk.cut();
    }

    /// A transfer up to its data channel: connected, hands shaken.
    pub fn open(&mut self, command: &str) -> Wire {
        self.send(command);
        let address = data_channel(&self.expect_answer("AOK 120"));
        self.data(address)
    }

    /// The data channel at this address, hands shaken.
    pub fn data(&self, address: SocketAddr) -> Wire {
        let wire = Wire::new(TcpStream::connect(address).unwrap());
        match &self.tls {
            None => wire,
            Some(tls) => {
                let mut wire = wire.secured(tls);
                wire.shake_hands().expect("a TLS handshake on the data channel");
                wire
            }
        }
    }

    /// A transfer to the client, to its 320.
    pub fn receive(&mut self, command: &str) -> Vec<u8> {
        let mut all = Vec::new();
        self.open(command).read_to_end(&mut all).expect("the data channel ends in good order");
        self.expect_answer("AOK 320");
        all
    }

    /// A transfer to the server, to its 320.
    pub fn send_file(&mut self, command: &str, bytes: &[u8]) {
        let mut wire = self.open(command);
        wire.write_all(bytes).unwrap();
        wire.finish().unwrap();
        self.expect_answer("AOK 320");
    }
}

/// The address in `([ADDRESS]:PORT) Opening data channel`.
pub fn data_channel(text: &str) -> SocketAddr {
    let (inner, _) = text.strip_prefix("([").and_then(|rest| rest.split_once(')')).expect("([ADDRESS]:PORT)");
    let (host, port) = inner.split_once("]:").expect("[ADDRESS]:PORT");
    SocketAddr::new(host.parse::<IpAddr>().unwrap(), port.parse().unwrap())
}
