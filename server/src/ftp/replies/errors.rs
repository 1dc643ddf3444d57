//! Failures of file commands and transfers in the words people know, and their codes.

use wharfinger_protocol::ftp::{Code, Reply};
use wharfinger_protocol::record::RecordError;

use crate::data::DataError;
use crate::files::FilesError;
use crate::storage::StorageError;
use crate::transfer::{DeflateError, TransferError};

/// A command on files was refused. `code` is the command's own for "no"; some failures have a
/// code of their own in RFC 959's table for every command that can meet them.
pub(in crate::ftp) fn refused(error: &FilesError, code: Code) -> Reply {
    let code = match error {
        FilesError::Storage(StorageError::Busy) if code == Code::FILE_UNAVAILABLE => Code::BUSY,
        FilesError::Storage(StorageError::Full) if code == Code::NAME_NOT_ALLOWED => Code::NO_SPACE,
        _ => code,
    };
    Reply::new(code, error.told().into_owned())
}

/// A transfer failed after its 150.
pub(in crate::ftp) fn transfer_failed(error: &TransferError) -> Reply {
    match error {
        TransferError::Data(DataError::TimedOut) => {
            Reply::new(Code::CANT_OPEN_DATA, "No data connection came about in time.")
        }
        TransferError::Data(DataError::Failed(_)) => {
            Reply::new(Code::CANT_OPEN_DATA, "The data connection can't be opened.")
        }
        TransferError::Data(DataError::Handshake(_)) => {
            Reply::new(Code::CANT_OPEN_DATA, "The TLS handshake on the data connection failed.")
        }
        TransferError::Data(DataError::NotBound) => Reply::new(
            Code::DATA_NOT_SECURE,
            "The data connection must resume the control connection's TLS session.",
        ),
        TransferError::Broken(_) => Reply::new(Code::TRANSFER_ABORTED, "The data connection broke."),
        TransferError::Truncated => Reply::new(
            Code::TRANSFER_ABORTED,
            "TLS ended without close_notify, so the file may be incomplete; it was not stored.",
        ),
        TransferError::Records(RecordError::NoEnd) | TransferError::Deflate(DeflateError::NoEnd) => {
            Reply::new(
                Code::TRANSFER_ABORTED,
                "The end of the file was not marked, so it may be incomplete; it was not stored.",
            )
        }
        TransferError::Records(error) => {
            Reply::new(Code::LOCAL_ERROR, format!("These are no records: {error}."))
        }
        TransferError::Deflate(error) => Reply::new(Code::LOCAL_ERROR, format!("MODE Z: {error}.")),
        TransferError::Forbidden => {
            Reply::new(Code::TRANSFER_ABORTED, "The permission for this transfer was taken away.")
        }
        TransferError::Stalled => Reply::new(Code::TRANSFER_ABORTED, "No data moved for too long."),
        TransferError::Storage(StorageError::Full) => Reply::new(Code::NO_SPACE, "No space left."),
        TransferError::Storage(StorageError::OverQuota) => {
            Reply::new(Code::QUOTA_EXCEEDED, "Your quota is used up; remove files or ask for more.")
        }
        TransferError::Storage(StorageError::TooLarge) => {
            Reply::new(Code::QUOTA_EXCEEDED, "The file is too large.")
        }
        TransferError::Storage(error) => Reply::new(Code::LOCAL_ERROR, error.words().into_owned()),
    }
}
