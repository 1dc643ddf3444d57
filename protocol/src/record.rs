//! Record structure in stream mode (STRU R and MODE S, RFC 959 §3.4.1): two-byte control codes
//! mark the end of each record and of the file, however the bytes are cut into buffers.
//!
//! Files here are strings of bytes, so a record is a line of the file, without its line end. That
//! is undone without loss (RFC 959 §3.1.2): a last line without a line end is one that has no
//! end-of-record mark. Files and connections are not known here.

use memchr::{memchr, memchr2};

use crate::text::FromWire;

/// The escape: all ones. As data it is sent twice.
const ESCAPE: u8 = 0xFF;
/// Bits of the byte after the escape; both may be set.
const END_OF_RECORD: u8 = 1;
const END_OF_FILE: u8 = 2;

/// From a file to the wire: each LF ends a record. In text the CR of a CR LF is part of the line
/// end; in an image it is data.
#[derive(Debug, Clone, Copy, Default)]
pub struct ToRecords {
    text: bool,
    /// A CR was the last byte of text; what follows decides what it is.
    after_cr: bool,
}

impl ToRecords {
    /// For TYPE A if `text`, else for TYPE I.
    pub fn new(text: bool) -> ToRecords {
        ToRecords { text, after_cr: false }
    }

    /// Converts the next bytes of a file, appending them to `out`, which grows to twice their
    /// number and one byte at the most.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) {
        let Some(&first) = input.first() else { return };
        out.reserve(input.len() + 1);
        if self.after_cr && first != b'\n' {
            out.push(b'\r');
        }
        let (mut rest, after_cr) = match input.strip_suffix(b"\r") {
            Some(rest) if self.text => (rest, true),
            _ => (input, false),
        };
        self.after_cr = after_cr;
        while let Some(at) = memchr2(b'\n', ESCAPE, rest) {
            let (before, after) = rest.split_at(at);
            if after.starts_with(&[ESCAPE]) {
                out.extend_from_slice(before);
                out.extend_from_slice(&[ESCAPE, ESCAPE]);
            } else {
                let cr = if self.text { before.strip_suffix(b"\r") } else { None };
                out.extend_from_slice(cr.unwrap_or(before));
                out.extend_from_slice(&[ESCAPE, END_OF_RECORD]);
            }
            rest = after.get(1..).unwrap_or_default();
        }
        out.extend_from_slice(rest);
    }

    /// The file is over: its end is marked.
    pub fn finish(self, out: &mut Vec<u8>) {
        if self.after_cr {
            out.push(b'\r');
        }
        out.extend_from_slice(&[ESCAPE, END_OF_FILE]);
    }
}

/// Why the wire's bytes are no sequence of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A control code that RFC 959 does not define.
    #[error("no control code of record structure: 0xFF {0:#04x}")]
    UnknownCode(u8),
    /// Bytes behind the mark of the file's end.
    #[error("bytes after the end of the file")]
    AfterEnd,
    /// The connection ended before the mark of the file's end: the file is not whole.
    #[error("the end of the file was not marked")]
    NoEnd,
}

/// From the wire to a file: each record becomes a line. In text, a CR LF within a record, and one
/// that a client sends although the record ends there, is a line end as in any text.
#[derive(Debug, Clone, Copy, Default)]
pub struct FromRecords {
    text: Option<FromWire>,
    after_escape: bool,
    ended: bool,
}

impl FromRecords {
    /// For TYPE A if `text`, else for TYPE I.
    pub fn new(text: bool) -> FromRecords {
        FromRecords { text: text.then(FromWire::default), after_escape: false, ended: false }
    }

    /// Converts the next bytes from the wire, appending them to `out`.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), RecordError> {
        let mut rest = input;
        while let Some(&first) = rest.first() {
            if self.ended {
                return Err(RecordError::AfterEnd);
            }
            if self.after_escape {
                self.after_escape = false;
                self.control(first, out)?;
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let (data, after) = rest.split_at(memchr(ESCAPE, rest).unwrap_or(rest.len()));
            self.data(data, out);
            self.after_escape = !after.is_empty();
            rest = after.get(1..).unwrap_or_default();
        }
        Ok(())
    }

    /// The connection has ended; the file is whole only if its end was marked.
    pub fn finish(self, out: &mut Vec<u8>) -> Result<(), RecordError> {
        if !self.ended {
            return Err(RecordError::NoEnd);
        }
        if let Some(text) = self.text {
            text.finish(out);
        }
        Ok(())
    }

    fn control(&mut self, code: u8, out: &mut Vec<u8>) -> Result<(), RecordError> {
        if code == ESCAPE {
            self.data(&[ESCAPE], out);
            return Ok(());
        }
        if code & (END_OF_RECORD | END_OF_FILE) != code || code == 0 {
            return Err(RecordError::UnknownCode(code));
        }
        if code & END_OF_RECORD != 0 {
            self.data(b"\n", out);
        }
        self.ended = code & END_OF_FILE != 0;
        Ok(())
    }

    fn data(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match &mut self.text {
            Some(text) => text.push(bytes, out),
            None => out.extend_from_slice(bytes),
        }
    }
}
