//! How a file's bytes stand on the data connection (TYPE and STRU, RFC 959 §3.1): line ends of
//! text, and records. An image in file structure passes as it is; for it there is no codec.

use wharfinger_protocol::record::{FromRecords, RecordError, ToRecords};
use wharfinger_protocol::text::{FromWire, ToWire};

/// What TYPE and STRU have come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Representation {
    /// TYPE A: line ends are converted.
    pub(crate) text: bool,
    /// STRU R: lines are records.
    pub(crate) records: bool,
}

impl Representation {
    /// Whether the bytes of the file are those on the wire, so that offsets and sizes are too.
    pub(crate) fn is_image(self) -> bool {
        !self.text && !self.records
    }

    /// What turns a file's bytes into those of the wire; none for an image.
    pub(super) fn encoder(self) -> Option<Encoder> {
        match self {
            Self { records: true, text } => Some(Encoder::Records(ToRecords::new(text))),
            Self { text: true, .. } => Some(Encoder::Text(ToWire::default())),
            _ => None,
        }
    }

    /// What turns the wire's bytes into those of the file; none for an image.
    pub(super) fn decoder(self) -> Option<Decoder> {
        match self {
            Self { records: true, text } => Some(Decoder::Records(FromRecords::new(text))),
            Self { text: true, .. } => Some(Decoder::Text(FromWire::default())),
            _ => None,
        }
    }
}

pub(super) enum Encoder {
    Text(ToWire),
    Records(ToRecords),
}

impl Encoder {
    pub(super) fn push(&mut self, input: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Text(codec) => codec.push(input, out),
            Self::Records(codec) => codec.push(input, out),
        }
    }

    pub(super) fn finish(self, out: &mut Vec<u8>) {
        match self {
            Self::Text(_) => {}
            Self::Records(codec) => codec.finish(out),
        }
    }
}

pub(super) enum Decoder {
    Text(FromWire),
    Records(FromRecords),
}

impl Decoder {
    /// What came before an error stands in `out`.
    pub(super) fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), RecordError> {
        match self {
            Self::Text(codec) => codec.push(input, out),
            Self::Records(codec) => codec.push(input, out)?,
        }
        Ok(())
    }

    pub(super) fn finish(self, out: &mut Vec<u8>) -> Result<(), RecordError> {
        match self {
            Self::Text(codec) => codec.finish(out),
            Self::Records(codec) => codec.finish(out)?,
        }
        Ok(())
    }
}
