//! What comes in MODE Z (draft-preston-ftpext-deflate), unpacked piece by piece, so that a stream that
//! grows a thousandfold takes no more memory than any other. It knows no connection and no file.

use flate2::{Decompress, FlushDecompress, Status};
use thiserror::Error;

use super::buffer::Buffer;

/// Why what a client sent is no zlib stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum DeflateError {
    #[error("it is no zlib stream")]
    Malformed,
    #[error("bytes after the end of the zlib stream")]
    AfterEnd,
    /// The connection ended before the stream did: the file is not whole.
    #[error("the zlib stream has no end")]
    NoEnd,
}

/// What unpacks an upload.
pub(super) struct Unpacker {
    stream: Decompress,
    plain: Buffer,
    begun: bool,
    ended: bool,
}

impl Unpacker {
    pub(super) fn new() -> Self {
        Self { stream: Decompress::new(true), plain: Buffer::take(), begun: false, ended: false }
    }

    /// Unpacks as much of the input as one buffer holds, and takes it off the input. Without any
    /// output all of the input has been used.
    pub(super) fn pull(&mut self, input: &mut &[u8]) -> Result<&[u8], DeflateError> {
        self.begun |= !input.is_empty();
        if self.ended {
            return if input.is_empty() { Ok(&[]) } else { Err(DeflateError::AfterEnd) };
        }
        let (before_in, before_out) = (self.stream.total_in(), self.stream.total_out());
        let status = self.stream.decompress(input, &mut self.plain, FlushDecompress::None);
        self.ended = matches!(status.map_err(|_| DeflateError::Malformed)?, Status::StreamEnd);
        let taken = usize::try_from(self.stream.total_in() - before_in).unwrap_or(usize::MAX);
        let given = usize::try_from(self.stream.total_out() - before_out).unwrap_or(usize::MAX);
        *input = input.get(taken..).unwrap_or_default();
        if given == 0 && self.ended && !input.is_empty() {
            return Err(DeflateError::AfterEnd);
        }
        Ok(self.plain.get(..given).unwrap_or_default())
    }

    /// The connection has ended. An empty file may come without a stream: some clients begin one
    /// with the first byte.
    pub(super) fn finish(&self) -> Result<(), DeflateError> {
        if self.ended || !self.begun { Ok(()) } else { Err(DeflateError::NoEnd) }
    }
}
