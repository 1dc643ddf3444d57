//! Downloads, uploads and lists over a data connection.

use suppaftp::{Status, TransferStream};

use crate::{
    failure::Failure,
    names::shown,
    remote::{
        Ending, Sink, Source,
        flow::{self, Broken},
        listing::from_octets,
    },
    tls::Secured,
};

use super::Ftp;

/// A list that is larger is no list: 100,000 entries are some 12 MB.
const LARGEST_LIST: usize = 256 << 20;

impl Ftp {
    /// A whole list.
    pub(super) fn receive_list(&mut self, verb: &str, path: &[u8]) -> Result<Vec<u8>, Failure> {
        // A path that begins with a hyphen would be taken for options.
        let dotted = [b"./", path].concat();
        let path = if path.starts_with(b"-") { &dotted } else { path };
        let mut bytes = Vec::new();
        let ending = self.receive(verb, path, 0, &mut |part| {
            bytes.extend_from_slice(part);
            if bytes.len() > LARGEST_LIST {
                return Err(Failure::Protocol(format!(
                    "the list does not end; {LARGEST_LIST} bytes of it came"
                )));
            }
            Ok(())
        })?;
        match ending {
            Ending::Marked | Ending::Unmarked => Ok(bytes),
            Ending::BrokenOff => Err(Failure::Incomplete(
                "the list may be cut off: its TLS connection ended without close_notify".to_owned(),
            )),
        }
    }

    /// A transfer to here.
    pub(super) fn receive(
        &mut self,
        verb: &str,
        path: &[u8],
        offset: u64,
        sink: &mut Sink<'_>,
    ) -> Result<Ending, Failure> {
        let mut data = self.begin(verb, path, offset)?;
        let secured = self.tls.is_some();
        let moved = self.pace.clone().receive(&mut data, secured, sink);
        self.end(path, data, moved)
    }

    /// A transfer from here.
    pub(super) fn send(
        &mut self,
        verb: &str,
        path: &[u8],
        offset: u64,
        source: &mut Source<'_>,
    ) -> Result<(), Failure> {
        let mut data = self.begin(verb, path, offset)?;
        let moved = self.pace.clone().send(&mut data, source);
        self.end(path, data, moved)
    }

    fn begin(&mut self, verb: &str, path: &[u8], offset: u64) -> Result<TransferStream<Secured>, Failure> {
        let line = super::line(verb, path);
        if line.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n')) {
            return Err(Failure::Usage(format!("no command can carry a line end or NUL: {}", shown(path))));
        }
        let offset =
            usize::try_from(offset).map_err(|_| Failure::Usage("the file is too large".to_owned()))?;
        let what = if path.is_empty() { verb.to_owned() } else { shown(path) };
        let begun = self.stream.resume_transfer(offset).and_then(|()| {
            self.stream.custom_data_command(from_octets(&line), &[Status::AboutToSend, Status::AlreadyOpen])
        });
        let (_, data) = begun.map_err(|error| self.failure(&what, error))?;
        flow::prepare(data.get_ref().get_ref())
            .map_err(|error| Failure::Connection(format!("the data connection can't be used: {error}")))?;
        Ok(data)
    }

    /// Closes the data connection and hears what the server says of it. A transfer that broke is
    /// ended with a reset, so that no server takes what came for the whole.
    fn end<T>(
        &mut self,
        path: &[u8],
        mut data: TransferStream<Secured>,
        moved: Result<T, Broken>,
    ) -> Result<T, Failure> {
        if moved.is_err() {
            flow::reset_at_the_end(data.get_ref().get_ref());
            if let suppaftp::DataStream::Ssl(secured) = data.get_mut() {
                secured.abandon();
            }
        }
        let said = data.finish().map_err(|error| self.failure(&shown(path), error));
        match (moved, said) {
            (Ok(value), Ok(())) => Ok(value),
            (Ok(_), Err(failure)) | (Err(Broken::There(_)), Err(failure @ Failure::Refused { .. })) => {
                Err(failure)
            }
            (Err(Broken::Here(failure) | Broken::There(failure)), _) => Err(failure),
        }
    }
}
