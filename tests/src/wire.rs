//! One TCP connection to the server, in clear or under TLS: the control connection's and the data
//! connections' common part, with the ways to end it that real clients have.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use rustls::{ClientConnection, HandshakeKind, StreamOwned};
use socket2::SockRef;

use crate::tls::Tls;

/// How long one read may take before the test fails.
pub const READ_LIMIT: Duration = Duration::from_secs(20);

/// A connection in clear or under TLS.
pub enum Wire {
    /// As TCP carries it.
    Clear(TcpStream),
    /// Under TLS.
    Secured(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Wire {
    /// A connection in clear whose reads can't hang a test.
    pub fn new(socket: TcpStream) -> Wire {
        socket.set_read_timeout(Some(READ_LIMIT)).unwrap();
        socket.set_nodelay(true).unwrap();
        Wire::Clear(socket)
    }

    /// The same connection, under TLS from here on.
    #[must_use]
    pub fn secured(self, tls: &Tls) -> Wire {
        match self {
            Wire::Clear(socket) => Wire::Secured(Box::new(tls.secure(socket))),
            Wire::Secured(_) => panic!("it is under TLS already"),
        }
    }

    /// Does the TLS handshake now instead of with the first byte.
    pub fn shake_hands(&mut self) -> io::Result<()> {
        let Wire::Secured(stream) = self else { return Ok(()) };
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(())
    }

    /// Whether the finished handshake resumed an earlier session.
    pub fn resumed(&self) -> bool {
        match self {
            Wire::Clear(_) => false,
            Wire::Secured(stream) => stream.conn.handshake_kind() == Some(HandshakeKind::Resumed),
        }
    }

    /// The certificate that the server has shown, DER.
    pub fn certificate(&self) -> Option<Vec<u8>> {
        match self {
            Wire::Clear(_) => None,
            Wire::Secured(stream) => stream.conn.peer_certificates()?.first().map(|shown| shown.to_vec()),
        }
    }

    /// The TCP connection below.
    pub fn socket(&self) -> &TcpStream {
        match self {
            Wire::Clear(socket) => socket,
            Wire::Secured(stream) => &stream.sock,
        }
    }

    /// Ends an upload as a correct client does: `close_notify`, then TCP's end. It reads nothing,
    /// as a client that only writes does.
    pub fn finish(mut self) -> io::Result<()> {
        self.end()
    }

    /// Ends an upload so, and keeps what is left to be read: tickets, and the server's end.
    pub fn end(&mut self) -> io::Result<()> {
        if let Wire::Secured(stream) = self {
            stream.conn.send_close_notify();
        }
        self.flush()?;
        self.socket().shutdown(Shutdown::Write)
    }

    /// Ends an upload without `close_notify`: TCP's end alone, which anyone on the way can forge.
    pub fn truncate(mut self) {
        self.flush().unwrap();
        self.socket().shutdown(Shutdown::Write).unwrap();
    }

    /// Ends it by TCP's reset: what was on its way is lost, and nobody can take it for the end.
    pub fn reset(self) {
        SockRef::from(self.socket()).set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Reads until the connection ends, in whatever way, and counts the bytes.
    pub fn drain(&mut self) -> u64 {
        let mut buffer = vec![0; 1 << 18];
        let mut count = 0;
        loop {
            match self.read(&mut buffer) {
                Ok(0) => return count,
                Ok(size) => count += size as u64,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    panic!("the connection neither moves nor ends")
                }
                Err(_) => return count,
            }
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Wire::Clear(socket) => socket.read(buffer),
            Wire::Secured(stream) => stream.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Wire::Clear(socket) => socket.write(bytes),
            Wire::Secured(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Wire::Clear(socket) => socket.flush(),
            Wire::Secured(stream) => stream.flush(),
        }
    }
}
