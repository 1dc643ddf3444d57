//! The work under way beside the command line, and the last word on it.

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
            (_, Err(error)) => replies::transfer_failed(&error),
        }
    }
}
