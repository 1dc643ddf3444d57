//! A session's next data connection: what is agreed on, what earlier ones have taught, and the
//! policy they all share. The policy is asked when a way is agreed on and again when the transfer
//! starts. It knows no dialect: how the client asks, and what it is told, are the dialect's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::HandshakeKind;
use wharfinger_config::{Binding, Requirement};

use crate::data::passive::{NoPort, PassiveListener};
use crate::data::{Agreement, DataPlan, DataTls, PassiveOffer};
use crate::link::Link;
use crate::tls::SessionTls;

/// Ports below are other services' (RFC 2577 §3).
const FIRST_UNPRIVILEGED_PORT: u16 = 1024;

/// What is agreed on, and what earlier data connections have taught.
#[derive(Default)]
pub(crate) struct Channel {
    agreement: Option<Agreement>,
    tickets: UploadTickets,
}

/// Why there can be no data connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoChannel {
    /// Data may not move in clear here.
    Unprotected,
    /// Nothing is agreed on.
    NotAgreed,
    /// No passive port is to be had.
    NoPort,
    /// The client is to be reached over the control connection's address family only.
    OtherFamily,
    /// Another host, or another service's port: no bounce, no port scan (RFC 2577 §3).
    Elsewhere,
}

/// Whether uploads get a TLS 1.3 ticket. A client that only writes leaves it unread, and its
/// close becomes a reset that cuts its own file short (curl and rclone lose up to a quarter of
/// their uploads so). Where a full handshake will do there is none, therefore. Where only a
/// resumed one will, a client without a ticket could not upload at all. So one that uses each
/// ticket once gets another when it is about to have none, and one that keeps a single ticket and
/// has spent it gets one when a full handshake after a resumed one has shown that it is of this kind.
#[derive(Default)]
struct UploadTickets {
    resumed: bool,
    spent: bool,
}

impl UploadTickets {
    fn on_uploads(&self, binding: Binding, tls: &SessionTls) -> bool {
        binding == Binding::Required && (self.spent || tls.runs_short_of_tickets())
    }
}

/// Which way the bytes go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    ToClient,
    FromClient,
}

impl Channel {
    /// The client is to connect to us, to this address.
    pub(crate) fn listen(&mut self, link: &Link) -> Result<SocketAddr, NoChannel> {
        refuse_unprotected(link)?;
        // First the old one goes: a session has one port at the most.
        self.agreement = None;
        let listener = claim(link)?;
        let address = listener.address();
        self.agreement = Some(Agreement::Passive(PassiveOffer::new(listener)));
        Ok(address)
    }

    /// We are to connect to the client: to its own address, never to a port of another service.
    pub(crate) fn dial(&mut self, link: &Link, to: SocketAddr) -> Result<(), NoChannel> {
        refuse_unprotected(link)?;
        if to.is_ipv4() != link.local.is_ipv4() {
            return Err(NoChannel::OtherFamily);
        }
        if to.ip() != link.client.ip() || to.port() < FIRST_UNPRIVILEGED_PORT {
            tracing::warn!(client = %link.client.ip(), asked_for = %to, "active data connection to elsewhere refused");
            return Err(NoChannel::Elsewhere);
        }
        // Behind a proxy we may have no address of the client's family on this connection.
        let own = if link.own.is_ipv4() == to.is_ipv4() { link.own } else { unspecified(to) };
        let from = SocketAddr::new(own, link.settings.config.ftp.active_port);
        self.agreement = Some(Agreement::Active { from, to });
        Ok(())
    }

    /// The data connection of the transfer that starts now, or why there can be none.
    pub(crate) fn plan(&mut self, link: &Link, direction: Direction) -> Result<DataPlan, NoChannel> {
        refuse_unprotected(link)?;
        let agreement = self.agreement.take().ok_or(NoChannel::NotAgreed)?;
        let binding = link.binding;
        let tls = match &link.tls {
            Some(tls) if link.private => {
                let ticket = direction == Direction::ToClient || self.tickets.on_uploads(binding, tls);
                Some(DataTls { config: tls.data(ticket), binding })
            }
            None if link.private => return Err(NoChannel::Unprotected),
            _ => None,
        };
        let patience = Duration::from_secs(link.settings.config.limits.data_seconds);
        Ok(DataPlan { agreement, tls, patience })
    }

    /// What goes on while no command comes; never ends, and may be dropped at any time. A handshake
    /// done before the command gives no ticket, since an upload may follow.
    pub(crate) async fn meanwhile(&mut self, link: &Link) {
        match (&mut self.agreement, &link.tls) {
            (Some(Agreement::Passive(offer)), Some(tls)) if link.private => {
                let binding = link.binding;
                offer.meanwhile(|| DataTls { config: tls.data(false), binding }).await;
            }
            _ => std::future::pending().await,
        }
    }

    /// Takes note of how a data connection's handshake went.
    pub(crate) fn learn(&mut self, handshake: Option<HandshakeKind>) {
        match handshake {
            Some(HandshakeKind::Resumed) => self.tickets.resumed = true,
            Some(HandshakeKind::Full | HandshakeKind::FullWithHelloRetryRequest) => {
                self.tickets.spent |= self.tickets.resumed;
            }
            _ => {}
        }
    }
}

fn unspecified(like: SocketAddr) -> IpAddr {
    if like.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() }
}

fn claim(link: &Link) -> Result<PassiveListener, NoChannel> {
    let ports = Arc::clone(&link.services.passive_ports);
    ports.claim(link.own, link.client.ip(), &link.settings.proxies).map_err(|error| {
        match &error {
            NoPort::Exhausted => {
                link.services.metrics.no_passive_port();
                tracing::warn!(client = %link.client.ip(), "all passive ports are in use");
            }
            NoPort::Refused(error) => tracing::error!(%error, "a passive port can't be opened"),
        }
        NoChannel::NoPort
    })
}

/// The one place that says whether data may move without TLS.
fn refuse_unprotected(link: &Link) -> Result<(), NoChannel> {
    let refused = link.policy.data == Requirement::Required && !link.private;
    if refused { Err(NoChannel::Unprotected) } else { Ok(()) }
}
