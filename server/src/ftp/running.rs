//! The work under way beside the command line, and the last word on it.

use std::ops::Range;

use wharfinger_protocol::digest::Algorithm;
use wharfinger_protocol::ftp::{Code, Reply};

use super::replies;
use crate::files::FilesError;
use crate::transfer::{Done, TransferError};

/// What the final reply has to say.
pub(super) enum Running {
    /// A transfer; of STOU with the name the server chose (RFC 1123 §4.1.2.9).
    Transfer { unique: Option<Vec<u8>> },
    /// SITE CPTO.
    Copy,
    /// HASH and its kin.
    Digest(DigestStyle),
}

/// How a digest is told.
pub(super) enum DigestStyle {
    /// HASH: the algorithm, the offsets of the first and the last byte, the digest and the path.
    Hash { algorithm: Algorithm, range: Range<u64>, path: Vec<u8> },
    /// XCRC, XMD5, XSHA1, XSHA256, XSHA512: the digest alone, in upper case as others have it.
    Bare,
}

impl Running {
    pub(super) fn reply(self, result: Result<Done, TransferError>) -> Reply {
        match (self, result) {
            (Self::Transfer { unique: None }, Ok(_)) => Reply::new(Code::DATA_CLOSED, "Transfer complete."),
            (Self::Transfer { unique: Some(name) }, Ok(_)) => {
                Reply::new(Code::DATA_CLOSED, [b"Transfer complete: ", name.as_slice()].concat())
            }
            (Self::Copy, Ok(_)) => Reply::new(Code::OK, "Copied."),
            (Self::Copy, Err(TransferError::Storage(error))) => {
                replies::refused(&FilesError::Storage(error), Code::BAD_ARGUMENT)
            }
            (Self::Digest(style), Ok(Done::Digest(digest))) => style.reply(&digest),
            (Self::Digest(_), Err(TransferError::Storage(error))) => {
                replies::refused(&FilesError::Storage(error), Code::FILE_UNAVAILABLE)
            }
            (Self::Digest(_), Ok(Done::Moved)) => Reply::new(Code::LOCAL_ERROR, "No digest was found."),
            (_, Err(error)) => replies::transfer_failed(&error),
        }
    }
}

impl DigestStyle {
    fn reply(self, digest: &[u8]) -> Reply {
        match self {
            Self::Hash { algorithm, range, path } => {
                let (first, last) = (range.start, range.end.saturating_sub(1));
                let mut text = format!("{} {first}-{last} {} ", algorithm.name(), lower(digest)).into_bytes();
                text.extend_from_slice(&path);
                Reply::new(Code::FILE_STATUS, text)
            }
            Self::Bare => Reply::new(Code::DONE, lower(digest).to_ascii_uppercase()),
        }
    }
}

fn lower(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
