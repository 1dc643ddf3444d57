//! Errors and states into MFTP's words and codes: the only file of this dialect that chooses them.
//! `docs/mftp.md` says which code means what.

use wharfinger_protocol::mftp::{Answer, Code, ParseError, Verb};

use super::is_off;
use crate::channel::NoChannel;
use crate::conversation::Notice;
use crate::data::DataError;
use crate::files::FilesError;
use crate::link::Link;
use crate::login::LoginRefusal;
use crate::path::PathError;
use crate::registry::{Ending, Refusal};
use crate::storage::StorageError;
use crate::transfer::{RecordKind, TransferError};

pub(super) fn ready() -> Answer {
    Answer::new(Code::READY, "Ready")
}

pub(super) fn goodbye() -> Answer {
    Answer::new(Code::GOODBYE, "Goodbye")
}

pub(super) fn closed() -> Answer {
    Answer::new(Code::CLOSED, "Closing data channel")
}

pub(super) fn transfer_running() -> Answer {
    Answer::new(Code::TRANSFER_RUNNING, "A transfer is running")
}

/// FEAT: the verbs that are on, as data.
pub(super) fn features(link: &Link) -> Answer {
    let on = Verb::ALL.iter().filter(|verb| !is_off(link, **verb));
    Answer::new(Code::DATA, on.map(|verb| verb.name()).collect::<Vec<_>>().join(","))
}

pub(super) fn switched_off(verb: Verb) -> Answer {
    Answer::new(Code::SWITCHED_OFF, format!("{verb} is not offered here"))
}

pub(super) fn out_of_order(verb: Verb, why: &str) -> Answer {
    Answer::new(Code::OUT_OF_ORDER, format!("{verb} is not expected now: {why}"))
}

/// A line that is no command, or whose argument is wrong.
pub(super) fn misread(error: ParseError) -> Answer {
    let code = match error {
        ParseError::Unknown | ParseError::Foreign => Code::UNKNOWN,
        ParseError::Missing(_) => Code::NO_ARGUMENT,
        ParseError::Unexpected(_) | ParseError::Invalid(_) => Code::BAD_ARGUMENT,
    };
    Answer::new(code, error.to_string())
}

pub(super) fn need_password() -> Answer {
    Answer::new(Code::NEED_PASSWORD, "Password required")
}

pub(super) fn logged_in() -> Answer {
    Answer::new(Code::LOGGED_IN, "Logged in")
}

pub(super) fn not_logged_in() -> Answer {
    Answer::new(Code::NOT_LOGGED_IN, "Log in with USER and PASS first")
}

pub(super) fn login_refused(refusal: LoginRefusal) -> Answer {
    match refusal {
        LoginRefusal::Refused => Answer::new(Code::NOT_LOGGED_IN, "Login incorrect"),
        LoginRefusal::Banned => {
            Answer::new(Code::FORBIDDEN, "Too many failed logins from your address; try again later")
        }
        LoginRefusal::TooManySessions => {
            Answer::new(Code::UNAVAILABLE, "You have as many sessions as you may; close one and try again")
        }
        LoginRefusal::Unavailable => {
            Answer::new(Code::UNAVAILABLE, "Logins are temporarily unavailable; try again later")
        }
    }
}

/// A command on files was refused. `code` is the command's own for what the file system refuses.
pub(super) fn refused(error: &FilesError, code: Code) -> Answer {
    let code = match error {
        FilesError::Denied(_)
        | FilesError::Path(PathError::OutsideTree)
        | FilesError::Storage(StorageError::OutsideTree | StorageError::Denied) => Code::FORBIDDEN,
        FilesError::Path(_) => Code::BAD_ARGUMENT,
        FilesError::Storage(_) => code,
    };
    Answer::new(code, error.told().into_owned())
}

pub(super) fn no_channel(refusal: NoChannel) -> Answer {
    match refusal {
        NoChannel::Unprotected => Answer::new(Code::FORBIDDEN, "Data may not move without TLS here"),
        NoChannel::NoPort | NoChannel::NotAgreed | NoChannel::OtherFamily | NoChannel::Elsewhere => {
            Answer::new(Code::NO_DATA_CHANNEL, "No port for a data channel is free; try again later")
        }
    }
}

/// A transfer failed after its 120.
pub(super) fn transfer_failed(error: &TransferError, moving: RecordKind) -> Answer {
    match error {
        TransferError::Data(DataError::TimedOut) => {
            Answer::new(Code::NO_DATA_CHANNEL, "Nobody connected to the data channel in time")
        }
        TransferError::Data(DataError::NotBound) => Answer::new(
            Code::NO_DATA_CHANNEL,
            "The data channel must resume the control connection's TLS session",
        ),
        TransferError::Data(DataError::Failed(_) | DataError::Handshake(_)) => {
            Answer::new(Code::NO_DATA_CHANNEL, "The data channel can't be opened")
        }
        TransferError::Truncated => Answer::new(
            Code::TRANSFER_ABORTED,
            "TLS ended without close_notify, so the file may be incomplete; it was not stored",
        ),
        TransferError::Forbidden => {
            Answer::new(Code::TRANSFER_ABORTED, "The permission for this transfer was taken away")
        }
        TransferError::Stalled => Answer::new(Code::TRANSFER_ABORTED, "No data moved for too long"),
        // Records and compression are FTP's.
        TransferError::Broken(_) | TransferError::Records(_) | TransferError::Deflate(_) => {
            Answer::new(Code::TRANSFER_ABORTED, "The data channel broke")
        }
        TransferError::Storage(error) => {
            let code = if moving == RecordKind::Upload { Code::WRITE_FAILED } else { Code::READ_FAILED };
            Answer::new(code, error.words().into_owned())
        }
    }
}

/// Instead of a greeting.
pub(crate) fn turned_away(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Banned => "ERR 430 Too many failed logins from your address; try again later\r\n",
        Refusal::Full => "ERR 423 Too many sessions; try again later\r\n",
        Refusal::FullForAddress => "ERR 423 Too many sessions from your address; close one\r\n",
        Refusal::Draining => "ERR 423 The server is stopping\r\n",
    }
}

/// What the connection has come to, outside of any command.
pub(super) fn notice(notice: Notice) -> Answer {
    match notice {
        Notice::LineTooLong => Answer::new(Code::BAD_ARGUMENT, "The line is too long"),
        // There is no such upgrade in this dialect.
        Notice::ClearTextAfterUpgrade => Answer::new(Code::UNAVAILABLE, "Closing"),
        Notice::TransferEnded => Answer::new(Code::TRANSFER_ABORTED, "Transfer ended by the server"),
        Notice::Ended(Ending::Account) => {
            Answer::new(Code::FORBIDDEN, "The account may not be used any more")
        }
        Notice::Ended(Ending::Administrator) => {
            Answer::new(Code::UNAVAILABLE, "An administrator has ended the session")
        }
        Notice::Ended(Ending::Draining | Ending::Stopping) => {
            Answer::new(Code::UNAVAILABLE, "The server is stopping")
        }
        Notice::Idle => Answer::new(Code::UNAVAILABLE, "Nothing heard for too long, closing"),
        Notice::LoginTimeout => Answer::new(Code::UNAVAILABLE, "No login in time, closing"),
    }
}
