//! A connection in clear or under TLS.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
};

use suppaftp::TlsStream as _;

use crate::tls::Secured;

pub(super) enum Wire {
    Clear(TcpStream),
    Secured(Box<Secured>),
}

impl Wire {
    pub(super) fn socket(&self) -> &TcpStream {
        match self {
            Wire::Clear(socket) => socket,
            Wire::Secured(secured) => secured.get_ref(),
        }
    }

    /// Ends without TLS's mark of a good end.
    pub(super) fn abandon(&mut self) {
        if let Wire::Secured(secured) = self {
            secured.abandon();
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Wire::Clear(socket) => socket.read(buffer),
            Wire::Secured(secured) => secured.mut_ref().read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Wire::Clear(socket) => socket.write(bytes),
            Wire::Secured(secured) => secured.mut_ref().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Wire::Clear(socket) => socket.flush(),
            Wire::Secured(secured) => secured.mut_ref().flush(),
        }
    }
}
