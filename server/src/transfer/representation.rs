//! How a file's bytes stand on the data connection (TYPE, STRU and MODE, RFC 959 §3): line ends of
//! text, records, and whether it is packed. An image in file structure has no codec.

use wharfinger_protocol::record::{FromRecords, RecordError, ToRecords};
use wharfinger_protocol::text::{FromWire, ToWire};

/// What TYPE, STRU and MODE have come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Representation {
    /// TYPE A: line ends are converted.
    pub(crate) text: bool,
    /// STRU R: lines are records.
    pub(crate) records: bool,
    /// MODE Z: what is sent is a zlib stream, whatever is in it.
    pub(crate) deflate: bool,
    /// zlib's level for what the server packs, 0 to 9.
    pub(crate) level: u8,
}

impl Representation {
    /// The defaults of RFC 959 §5.1: TYPE A N, STRU F, MODE S. The level is the one that
    /// draft-preston-ftpext-deflate §3.3.2 proposes.
    pub(crate) const DEFAULT: Self = Self { text: true, records: false, deflate: false, level: 7 };

    /// Nothing is changed on the way.
    pub(crate) const IMAGE: Self = Self { text: false, ..Self::DEFAULT };

    /// The level at which to pack; none in MODE S.
    pub(crate) fn packing(self) -> Option<u8> {
        self.deflate.then_some(self.level)
    }

    /// Whether the bytes of the file are those that are sent, packed or not, so that offsets and
    /// sizes are too.
    pub(crate) fn is_image(self) -> bool {
        !self.text && !self.records
    }

    /// What turns a file's bytes into those of the wire; none for an image.
    pub(super) fn encoder(self) -> Option<Encoder> {
        match self {
            Self { records: true, text, .. } => Some(Encoder::Records(ToRecords::new(text))),
            Self { text: true, .. } => Some(Encoder::Text(ToWire::default())),
            _ => None,
        }
    }

    /// What turns the wire's bytes into those of the file; none for an image.
    pub(super) fn decoder(self) -> Option<Decoder> {
        match self {
            Self { records: true, text, .. } => Some(Decoder::Records(FromRecords::new(text))),
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
