//! A raw client's control connection: lines both ways, in clear or under TLS, and the transcript,
//! which a failing test prints. It knows no protocol.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::SockRef;

use crate::tls::Tls;
use crate::wire::Wire;

/// A control connection and what has been said on it.
pub(crate) struct Talk {
    wire: Option<Wire>,
    received: Vec<u8>,
    transcript: Vec<String>,
    peer: SocketAddr,
    local: SocketAddr,
}

impl Talk {
    pub(crate) fn dial(address: SocketAddr) -> Talk {
        Talk::over(TcpStream::connect(address).unwrap())
    }

    /// On a TCP connection made already.
    pub(crate) fn over(socket: TcpStream) -> Talk {
        let (peer, local) = (socket.peer_addr().unwrap(), socket.local_addr().unwrap());
        let wire = Some(Wire::new(socket));
        Talk { wire, received: Vec::new(), transcript: Vec::new(), peer, local }
    }

    /// The client's end.
    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Begins TLS now, and says how that failed if it did.
    pub(crate) fn secure(&mut self, tls: &Tls) -> io::Result<()> {
        let mut wire = self.wire.take().unwrap().secured(tls);
        let shaken = wire.shake_hands();
        self.transcript.push(format!("-- TLS: {shaken:?} --"));
        self.wire = Some(wire);
        shaken
    }

    /// Goes on without TLS, once the server has ended it; `told`: the server hears of it in TLS's own
    /// words.
    pub(crate) fn leave_tls(&mut self, told: bool) {
        let Some(Wire::Secured(mut stream)) = self.wire.take() else { panic!("there is no TLS to leave") };
        assert_eq!(stream.read(&mut [0; 10]).unwrap(), 0, "the server ends TLS first");
        if told {
            stream.conn.send_close_notify();
            stream.flush().unwrap();
        }
        self.transcript.push("-- in clear --".to_owned());
        self.wire = Some(Wire::Clear(stream.sock));
    }

    /// The certificate that the server has shown, DER.
    pub(crate) fn certificate(&self) -> Option<Vec<u8>> {
        self.wire.as_ref().and_then(Wire::certificate)
    }

    /// Sends these bytes as they are.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.try_send(bytes).expect("the control connection takes bytes");
    }

    /// The same for a connection that may be gone.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let shown =
            String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).trim_end().replace("\r\n", "\nC: ");
        self.transcript.push(format!("C: {shown}"));
        let wire = self.wire.as_mut().unwrap();
        wire.write_all(bytes).and_then(|()| wire.flush())
    }

    /// A byte that TCP calls urgent.
    pub(crate) fn send_urgent(&mut self, byte: u8) {
        self.transcript.push(format!("C: {byte:#x}, urgent"));
        let socket = self.wire.as_ref().unwrap().socket();
        SockRef::from(socket).send_out_of_band(&[byte]).expect("the control connection takes bytes");
    }

    /// Ends this end of the connection.
    pub(crate) fn finish_sending(&mut self) {
        self.transcript.push("-- nothing more from here --".to_owned());
        // The server may have ended it already.
        let _ = self.wire.as_mut().unwrap().end();
    }

    /// Cuts the connection without a word.
    pub(crate) fn cut(&mut self) {
        self.wire.as_ref().unwrap().socket().shutdown(Shutdown::Both).unwrap();
    }

    /// The next line, or `None` at the connection's end (in whatever way it ends).
    pub(crate) fn line(&mut self, deadline: Instant) -> Option<String> {
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
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    panic!("neither a line nor the connection's end in time")
                }
                Err(_) => break,
            }
        }
        self.transcript.push("-- closed --".to_owned());
        None
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- {} -> {}\n{}\n---", self.local, self.peer, self.transcript.join("\n"));
        }
    }
}
