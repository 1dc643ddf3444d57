//! A dialect's side of the conversation: what it is asked, and what it can have done. It writes
//! nothing and waits for no line; that is the loop's.

use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use rustls::server::ServerConfig;
use tokio::time::Instant;

use crate::control::Protection;
use crate::registry::Ending;
use crate::transfer::{Job, Meter, Outcome};

/// One dialect's side of the conversation.
pub(crate) trait Dialogue: Send {
    /// What is said first.
    fn greeting(&self) -> Vec<u8>;

    /// Answers one line.
    fn answer(&mut self, line: &[u8]) -> impl Future<Output = Step> + Send;

    /// What goes on while no line comes; dropped when one does, and never ends by itself.
    fn meanwhile(&mut self) -> impl Future<Output = ()> + Send {
        pending()
    }

    /// Whether a line that comes during a transfer acts at once.
    fn interrupt(&mut self, line: &[u8], meter: &Meter) -> Interruption;

    /// The transfer has ended by itself; this is its final reply.
    fn transferred(&mut self, outcome: Outcome) -> Vec<u8>;

    /// The transfer was aborted on the client's word; the replies to both.
    fn aborted(&mut self) -> Vec<u8>;

    /// TLS is on.
    fn secured(&mut self, protection: Protection);

    /// The words for a line or a state that no command answers.
    fn notice(&mut self, notice: Notice) -> Vec<u8>;

    /// How long the peer may be silent now.
    fn patience(&self) -> Patience;
}

/// What is to be done about a line.
pub(crate) enum Step {
    Reply(Vec<u8>),
    /// Reply, then upgrade the connection.
    StartTls(Vec<u8>, Arc<ServerConfig>),
    /// Reply, then go on without TLS.
    LeaveTls(Vec<u8>),
    /// Reply, then move bytes; the dialogue gives the final reply in `transferred`.
    Transfer(Vec<u8>, Job),
    /// Work, with no reply before `transferred` gives it.
    Work(Job),
    /// Reply, then close.
    Close(Vec<u8>),
}

/// What a line does to a running transfer.
pub(crate) enum Interruption {
    /// The line waits for the end of the transfer.
    Postponed,
    /// Answered at once, the transfer goes on.
    Reply(Vec<u8>),
    /// The transfer is dropped.
    Abort,
    /// The line waits, and it is the last one.
    Leave,
}

/// States of the connection that the dialect has to put into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    LineTooLong,
    /// Bytes in clear behind the request for TLS.
    ClearTextAfterUpgrade,
    /// The session is ended from outside while a transfer runs; the transfer's last word.
    TransferEnded,
    /// The session is ended from outside.
    Ended(Ending),
    /// The peer was silent for too long.
    Idle,
    /// No login in time.
    LoginTimeout,
}

/// The clock that runs while the peer is silent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    /// Until this moment, however much is said.
    Login(Instant),
    /// So long after each command.
    Idle(Duration),
}
