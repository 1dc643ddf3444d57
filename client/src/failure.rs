//! What can go wrong, by whose fault, and the exit code that says so to a script.
//!
//! Every failure is one sentence that says what to do where something can be done. What comes from
//! the server is made harmless for the terminal before it gets here.

use std::{io, path::PathBuf};

use crate::answer::Answer;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command line or a command of the shell makes no sense.
    #[error("{0}")]
    Usage(String),
    /// Nobody answers there, or the connection was lost.
    #[error("{0}")]
    Connection(String),
    /// The server could not show who it is, or TLS failed.
    #[error("{0}")]
    Tls(String),
    /// Name or password were refused.
    #[error("the login was refused: {0}")]
    Login(Answer),
    /// The server refused a command.
    #[error("{what}: {answer}")]
    Refused { what: String, answer: Answer },
    /// A file or directory on this machine.
    #[error("{}: {error}", path.display())]
    Local { path: PathBuf, error: io::Error },
    /// What arrived is not the whole file, or not the file that was sent.
    #[error("{0}")]
    Incomplete(String),
    /// The server does what no server may do.
    #[error("{0}")]
    Protocol(String),
    /// Something the doctor found.
    #[error("{0}")]
    Ill(String),
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    /// The exit code; the table in `arguments.rs` is what users read.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Connection(_) => 3,
            Self::Tls(_) => 4,
            Self::Login(_) => 5,
            Self::Refused { .. } => 6,
            Self::Local { .. } => 7,
            Self::Incomplete(_) => 8,
            Self::Protocol(_) => 9,
            Self::Ill(_) => 10,
            Self::Interrupted => 130,
        }
    }

    /// The failure's name in `--json`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Usage(_) => "usage",
            Self::Connection(_) => "connection",
            Self::Tls(_) => "tls",
            Self::Login(_) => "login",
            Self::Refused { .. } => "refused",
            Self::Local { .. } => "local",
            Self::Incomplete(_) => "incomplete",
            Self::Protocol(_) => "protocol",
            Self::Ill(_) => "ill",
            Self::Interrupted => "interrupted",
        }
    }

    /// The server's answer, where one is the reason.
    pub(crate) fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Login(answer) | Self::Refused { answer, .. } => Some(answer),
            _ => None,
        }
    }

    /// Whether it may go better in a moment. A refused login never does: trying again would only
    /// lock the user out.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Connection(_) | Self::Incomplete(_) => true,
            Self::Refused { answer, .. } => answer.is_passing(),
            _ => false,
        }
    }

    /// Whether the connection is of no use any more.
    pub(crate) fn breaks_connection(&self) -> bool {
        match self {
            Self::Connection(_) | Self::Tls(_) | Self::Protocol(_) | Self::Login(_) => true,
            Self::Refused { answer, .. } => answer.code == 421,
            _ => false,
        }
    }
}
