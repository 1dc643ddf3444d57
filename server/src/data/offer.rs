//! A passive data connection from PASV until its transfer. Most clients send the command at once,
//! and their TLS handshake is done by the transfer, which knows the direction and so whether a
//! ticket may be given. A few (aioftp) send no command before the handshake is done: for one that
//! has begun TLS and then stays silent it is done here. It knows no commands.

use std::future::pending;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_rustls::Accept;
use wharfinger_config::Binding;

use super::passive::PassiveListener;
use super::{DataConnection, DataError, DataTls, bound, secure, shake_hands};

/// How long a client that has begun TLS has to send the command.
const COMMAND_FIRST: Duration = Duration::from_millis(200);

/// An open passive port, and who may have come in on it already.
pub(crate) struct PassiveOffer {
    pub(super) listener: PassiveListener,
    pub(super) first: Option<Candidate>,
}

/// Somebody at the passive port, as far as they have got.
pub(super) enum Candidate {
    Connected(TcpStream),
    Shaking(Box<Accept<TcpStream>>, Binding),
    Done(Result<DataConnection, DataError>),
}

impl PassiveOffer {
    pub(crate) fn new(listener: PassiveListener) -> Self {
        Self { listener, first: None }
    }

    /// Goes on for as long as no command comes: lets the first one in, and when they begin TLS and
    /// then wait, does the handshake. Never ends, and may be dropped and called again at any time.
    pub(crate) async fn meanwhile(&mut self, tls: impl FnOnce() -> DataTls) {
        if self.first.is_none() {
            // What fails now fails for the transfer too, which has a reply for it.
            let Ok(stream) = self.listener.accept().await else { return pending().await };
            self.first = Some(Candidate::Connected(stream));
        }
        if let Some(Candidate::Connected(stream)) = &self.first {
            // In TLS the client speaks first. An end instead is left to the transfer.
            if !matches!(stream.peek(&mut [0]).await, Ok(1)) {
                return pending().await;
            }
            sleep(COMMAND_FIRST).await;
        }
        if let Some(Candidate::Connected(stream)) = self.first.take_if(|first| first.is_connected()) {
            let tls = tls();
            self.first = Some(Candidate::Shaking(Box::new(shake_hands(stream, &tls)), tls.binding));
        }
        if let Some(Candidate::Shaking(handshake, binding)) = &mut self.first {
            let (shaken, binding) = (handshake.await, *binding);
            self.first = Some(Candidate::Done(bound(shaken, binding)));
        }
        pending::<()>().await;
    }
}

impl Candidate {
    fn is_connected(&self) -> bool {
        matches!(self, Self::Connected(_))
    }

    /// Goes on to the end of the handshake, if there is to be one.
    pub(super) async fn vetted(self, tls: Option<&DataTls>) -> Result<DataConnection, DataError> {
        match self {
            Self::Connected(stream) => secure(stream, tls).await,
            Self::Shaking(handshake, binding) => bound(handshake.await, binding),
            Self::Done(result) => result,
        }
    }
}
