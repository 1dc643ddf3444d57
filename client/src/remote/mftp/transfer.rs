//! The data connection of a transfer: opened, ended, and what the server says of it.

use std::net::{SocketAddr, TcpStream};

use wharfinger_protocol::mftp::{Command, listing};

use crate::{
    failure::Failure,
    names::shown,
    remote::{
        Ending, Entry, Kind,
        flow::{self, Broken},
    },
};

use super::{Mftp, Wire};

/// A list that is larger is no list.
const LARGEST_LIST: usize = 256 << 20;

impl Mftp {
    /// Opens the data connection that a 120 tells of. Its address is not believed, its port is.
    pub(super) fn begin(&mut self, what: &[u8], command: &Command) -> Result<Wire, Failure> {
        let answer = self.must(what, command)?;
        let opening = wharfinger_protocol::mftp::Answer::parse(&[b"AOK 120 ", answer.text()].concat());
        let address = opening.ok().filter(|_| answer.code == 120).and_then(|opening| opening.data_channel());
        let Some(address) = address else {
            return Err(Failure::Protocol(format!(
                "a transfer was answered without a data channel: {answer}"
            )));
        };
        self.advertised = Some(address);
        let unreachable = |error| Failure::Connection(format!("the data channel can't be reached: {error}"));
        let address = SocketAddr::new(self.peer.ip(), address.port());
        let socket = TcpStream::connect_timeout(&address, self.pace.timeout).map_err(unreachable)?;
        flow::prepare(&socket).map_err(unreachable)?;
        Ok(match &self.tls {
            Some(tls) => {
                let wire = Wire::Secured(Box::new(tls.data(socket)?));
                flow::prepare(wire.socket()).map_err(unreachable)?;
                wire
            }
            None => Wire::Clear(socket),
        })
    }

    pub(super) fn end<T>(
        &mut self,
        what: &[u8],
        mut data: Wire,
        moved: Result<T, Broken>,
    ) -> Result<T, Failure> {
        if moved.is_err() {
            flow::reset_at_the_end(data.socket());
            data.abandon();
        }
        drop(data);
        let said = self.control.answer().and_then(|answer| match answer.code {
            320 => Ok(()),
            _ => Err(Failure::Refused { what: shown(what), answer }),
        });
        match (moved, said) {
            (Ok(value), Ok(())) => Ok(value),
            (Ok(_), Err(failure)) | (Err(Broken::There(_)), Err(failure @ Failure::Refused { .. })) => {
                Err(failure)
            }
            (Err(Broken::Here(failure) | Broken::There(failure)), _) => Err(failure),
        }
    }

    pub(super) fn list_here(&mut self) -> Result<Vec<Entry>, Failure> {
        let mut data = self.begin(b"LIST", &Command::List)?;
        let mut bytes = Vec::new();
        let secured = self.tls.is_some();
        let moved = self.pace.clone().receive(&mut data, secured, &mut |part| {
            bytes.extend_from_slice(part);
            if bytes.len() > LARGEST_LIST {
                return Err(Failure::Protocol(format!(
                    "the list does not end; {LARGEST_LIST} bytes of it came"
                )));
            }
            Ok(())
        });
        if self.end(b"LIST", data, moved)? == Ending::BrokenOff {
            return Err(Failure::Incomplete(
                "the list may be cut off: it ended without close_notify".to_owned(),
            ));
        }
        let lines = bytes.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        Ok(lines.filter_map(listing::parse_line).map(entry).collect())
    }
}

fn entry((kind, name): (listing::Kind, &[u8])) -> Entry {
    let kind = match kind {
        listing::Kind::File => Kind::File,
        listing::Kind::Directory => Kind::Directory,
        listing::Kind::Other => Kind::Other,
    };
    Entry { name: name.to_vec(), kind, size: None, modified: None }
}
