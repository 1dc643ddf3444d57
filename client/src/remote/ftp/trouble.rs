//! What goes wrong on a control connection, told as failures.

use std::io::ErrorKind;

use suppaftp::FtpError;

use crate::{failure::Failure, names::shown, remote::flow::Pace, tls::is_timeout};

/// What came is no reply.
pub(super) fn no_reply(bytes: &[u8]) -> Failure {
    let begin = shown(bytes.get(..60).unwrap_or(bytes));
    Failure::Protocol(format!("the server does not speak FTP; it said: {begin}"))
}

/// The connection is of no use any more.
pub(super) fn broken(error: FtpError, pace: &Pace) -> Failure {
    if let Err(interrupted) = pace.interrupt.check() {
        return interrupted;
    }
    match error {
        FtpError::ConnectionError(error) if is_timeout(&error) => {
            Failure::Connection(format!("the server does not answer within {} s", pace.timeout.as_secs()))
        }
        FtpError::ConnectionError(error) => match error.kind() {
            ErrorKind::UnexpectedEof => {
                Failure::Connection("the server has closed the connection".to_owned())
            }
            ErrorKind::InvalidData => Failure::Protocol(format!("the server sent nonsense: {error}")),
            _ => Failure::Connection(format!("the connection broke: {error}")),
        },
        FtpError::BadResponse => Failure::Protocol("the server does not speak FTP".to_owned()),
        other => Failure::Protocol(other.to_string()),
    }
}
