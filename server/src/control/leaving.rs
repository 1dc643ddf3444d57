//! The end of TLS on a connection that goes on in clear. The peer may say `close_notify`, and
//! then speaks in clear. Some clients (curl, when told to be passive) don't
//! say it. No line begins with a byte that a TLS record begins with, which tells the two apart.

use std::io;
use std::ops::RangeInclusive;

use rustls::ServerConnection;

/// The first byte of a record: its type (RFC 8446 §5.1).
const RECORD: RangeInclusive<u8> = 20..=23;
/// Type, version, length.
const HEADER: usize = 5;
/// A record's longest content (RFC 5246 §6.2.3).
const LONGEST: usize = (1 << 14) + 2048;

/// TLS that is to end.
pub(super) struct Leaving(Box<ServerConnection>);

/// What is left of the input once records are taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stripped {
    /// Clear text, or nothing, and no record can follow.
    Clear,
    /// Nothing, or a part of a record.
    NotYet,
}

impl Leaving {
    /// Nothing may have come behind the request to end it.
    pub(super) fn begin(mut session: ServerConnection) -> io::Result<Self> {
        let state = session.process_new_packets().map_err(io::Error::other)?;
        if state.plaintext_bytes_to_read() > 0 || state.peer_has_closed() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "more behind the request to end TLS"));
        }
        Ok(Self(Box::new(session)))
    }

    /// The bytes that end TLS on our side.
    pub(super) fn last_words(&mut self) -> io::Result<Vec<u8>> {
        self.0.send_close_notify();
        let mut last_words = Vec::new();
        while self.0.wants_write() {
            self.0.write_tls(&mut last_words)?;
        }
        Ok(last_words)
    }

    /// Takes the peer's last records from the front of the input. They may say nothing but that
    /// the peer ends TLS: commands are taken in clear only from here on.
    pub(super) fn strip(&mut self, input: &mut Vec<u8>) -> io::Result<Stripped> {
        loop {
            match input.first() {
                None => return Ok(Stripped::NotYet),
                Some(first) if !RECORD.contains(first) => return Ok(Stripped::Clear),
                Some(_) => {}
            }
            let Some(&[_, _, _, high, low]) = input.first_chunk::<HEADER>() else {
                return Ok(Stripped::NotYet);
            };
            let length = usize::from(u16::from_be_bytes([high, low]));
            if length > LONGEST {
                return Err(invalid("a record that is too long"));
            }
            let Some(mut record) = input.get(..HEADER + length) else { return Ok(Stripped::NotYet) };
            while !record.is_empty() {
                self.0.read_tls(&mut record)?;
            }
            let state = self.0.process_new_packets().map_err(io::Error::other)?;
            if state.plaintext_bytes_to_read() > 0 {
                return Err(invalid("a command under TLS after its end"));
            }
            input.drain(..HEADER + length);
            if state.peer_has_closed() {
                return Ok(Stripped::Clear);
            }
        }
    }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
