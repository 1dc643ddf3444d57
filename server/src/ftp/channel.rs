//! Agreeing on the next data connection: PASV, EPSV, PORT, EPRT, and the policy they share.
//! The policy is asked here for each of them and again when the transfer starts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::HandshakeKind;
use wharfinger_config::{Binding, Requirement};
use wharfinger_protocol::ftp::address::{extended_passive_reply, passive_reply};
use wharfinger_protocol::ftp::parameter::{ExtendedPassive, Family};
use wharfinger_protocol::ftp::{Code, Reply};

use super::{Link, replies};
use crate::data::passive::{NoPort, PassiveListener};
use crate::data::{Agreement, DataPlan, DataTls};

/// Ports below are other services' (RFC 2577 §3).
const FIRST_UNPRIVILEGED_PORT: u16 = 1024;

/// What is agreed on, and what earlier data connections have taught.
#[derive(Default)]
pub(super) struct Channel {
    agreement: Option<Agreement>,
    /// EPSV ALL (RFC 2428 §4): nothing but EPSV from now on.
    only_extended_passive: bool,
    tickets: UploadTickets,
}

/// Whether uploads get a TLS 1.3 ticket. A client that only writes leaves it unread, and its
/// close becomes a reset that cuts its own file short (curl and rclone lose up to a quarter of
/// their uploads so). Where a full handshake will do there is none, therefore. Where only a
/// resumed one will, a client that keeps one ticket and has spent it could not upload at all: it
/// gets one, once a full handshake after a resumed one has shown that it is of this kind.
#[derive(Default)]
struct UploadTickets {
    resumed: bool,
    spent: bool,
}

impl UploadTickets {
    fn on_uploads(&self, binding: Binding) -> bool {
        binding == Binding::Required && self.spent
    }
}

/// Which way the bytes go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    ToClient,
    FromClient,
}

impl Channel {
    /// PASV. The reply has room for an IPv4 address only.
    pub(super) async fn passive(&mut self, link: &Link) -> Reply {
        if self.only_extended_passive {
            return replies::only_extended_passive();
        }
        if link.local.is_ipv6() {
            return Reply::new(Code::NOT_IMPLEMENTED, "PASV is for IPv4; use EPSV.");
        }
        let listener = match self.claim(link) {
            Ok(listener) => listener,
            Err(refusal) => return refusal,
        };
        let port = listener.address().port();
        self.agreement = Some(Agreement::Passive(listener));
        match link.services.public_address.advertised(link.local.ip()).await {
            Some(address) => passive_reply(std::net::SocketAddrV4::new(address, port)),
            None => Reply::new(Code::NOT_IMPLEMENTED, "PASV is for IPv4; use EPSV."),
        }
    }

    /// EPSV (RFC 2428 §3).
    pub(super) fn extended_passive(&mut self, link: &Link, wanted: ExtendedPassive) -> Reply {
        let fits = match wanted {
            ExtendedPassive::All => {
                self.only_extended_passive = true;
                return Reply::new(Code::OK, "Only EPSV from now on.");
            }
            ExtendedPassive::Any => true,
            ExtendedPassive::Family(Family::V4) => link.local.is_ipv4(),
            ExtendedPassive::Family(Family::V6) => link.local.is_ipv6(),
        };
        if !fits {
            return replies::other_family(link.local);
        }
        match self.claim(link) {
            Ok(listener) => {
                let port = listener.address().port();
                self.agreement = Some(Agreement::Passive(listener));
                extended_passive_reply(port)
            }
            Err(refusal) => refusal,
        }
    }

    /// PORT and EPRT: to the client's own address, never to a port of another service. A
    /// refusal says the same whatever the reason (RFC 2577 §3: no bounce, no port scan).
    pub(super) fn active(&mut self, link: &Link, to: SocketAddr) -> Reply {
        if self.only_extended_passive {
            return replies::only_extended_passive();
        }
        if let Some(refusal) = refuse_unprotected(link) {
            return refusal;
        }
        if to.is_ipv4() != link.local.is_ipv4() {
            return replies::other_family(link.local);
        }
        if to.ip() != link.client.ip() || to.port() < FIRST_UNPRIVILEGED_PORT {
            tracing::warn!(client = %link.client.ip(), asked_for = %to, "active data connection to elsewhere refused");
            return Reply::new(Code::BAD_ARGUMENT, "Only your own address and ports from 1024 on.");
        }
        self.agreement = Some(Agreement::Active { from: link.local, to });
        Reply::new(Code::OK, "Will connect there.")
    }

    /// The data connection of the transfer that starts now, or why there can be none.
    pub(super) fn plan(&mut self, link: &Link, direction: Direction) -> Result<DataPlan, Reply> {
        if let Some(refusal) = refuse_unprotected(link) {
            return Err(refusal);
        }
        let agreement = self.agreement.take().ok_or_else(replies::no_agreement)?;
        let binding = link.services.config.tls.data_binding;
        let tls = link.private.then(|| DataTls {
            config: link.tls.data(direction == Direction::ToClient || self.tickets.on_uploads(binding)),
            binding,
        });
        let patience = Duration::from_secs(link.services.config.limits.data_seconds);
        Ok(DataPlan { agreement, tls, patience })
    }

    /// Takes note of how a data connection's handshake went.
    pub(super) fn learn(&mut self, handshake: Option<HandshakeKind>) {
        match handshake {
            Some(HandshakeKind::Resumed) => self.tickets.resumed = true,
            Some(HandshakeKind::Full | HandshakeKind::FullWithHelloRetryRequest) => {
                self.tickets.spent |= self.tickets.resumed;
            }
            _ => {}
        }
    }

    fn claim(&mut self, link: &Link) -> Result<PassiveListener, Reply> {
        if let Some(refusal) = refuse_unprotected(link) {
            return Err(refusal);
        }
        // First the old one goes: a session has one port at the most.
        self.agreement = None;
        let ports = Arc::clone(&link.services.passive_ports);
        ports.claim(link.local.ip(), link.client.ip()).map_err(|error| {
            match &error {
                NoPort::Exhausted => {
                    tracing::warn!(client = %link.client.ip(), "all passive ports are in use");
                }
                NoPort::Refused(error) => tracing::error!(%error, "a passive port can't be opened"),
            }
            replies::no_port()
        })
    }
}

/// The one place that says whether data may move without TLS.
fn refuse_unprotected(link: &Link) -> Option<Reply> {
    let required = link.services.config.tls.data == Requirement::Required;
    (required && !link.private).then(replies::data_tls_needed)
}
