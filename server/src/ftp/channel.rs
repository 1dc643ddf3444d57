//! Agreeing on the next data connection in FTP's words: PASV, EPSV, PORT, EPRT. What may be
//! agreed on is the core's to say.

use std::net::{SocketAddr, SocketAddrV4};

use rustls::HandshakeKind;
use wharfinger_protocol::ftp::address::{extended_passive_reply, passive_reply};
use wharfinger_protocol::ftp::parameter::{ExtendedPassive, Family};
use wharfinger_protocol::ftp::{Code, Reply};

use super::{Link, replies};
use crate::channel::{self, Direction};
use crate::data::DataPlan;

/// What is agreed on.
#[derive(Default)]
pub(super) struct Channel {
    next: channel::Channel,
    /// EPSV ALL (RFC 2428 §4): nothing but EPSV from now on.
    only_extended_passive: bool,
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
        let port = match self.next.listen(link) {
            Ok(address) => address.port(),
            Err(refusal) => return replies::no_channel(refusal, link),
        };
        match link.settings.public_address.advertised(link.local.ip(), link.client.ip()).await {
            Some(address) => passive_reply(SocketAddrV4::new(address, port)),
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
        match self.next.listen(link) {
            Ok(address) => extended_passive_reply(address.port()),
            Err(refusal) => replies::no_channel(refusal, link),
        }
    }

    /// PORT and EPRT.
    pub(super) fn active(&mut self, link: &Link, to: SocketAddr) -> Reply {
        if self.only_extended_passive {
            return replies::only_extended_passive();
        }
        match self.next.dial(link, to) {
            Ok(()) => Reply::new(Code::OK, "Will connect there."),
            Err(refusal) => replies::no_channel(refusal, link),
        }
    }

    /// What goes on while no command comes.
    pub(super) async fn meanwhile(&mut self, link: &Link) {
        self.next.meanwhile(link).await;
    }

    /// The data connection of the transfer that starts now, or why there can be none.
    pub(super) fn plan(&mut self, link: &Link, direction: Direction) -> Result<DataPlan, Reply> {
        self.next.plan(link, direction).map_err(|refusal| replies::no_channel(refusal, link))
    }

    /// Takes note of how a data connection's handshake went.
    pub(super) fn learn(&mut self, handshake: Option<HandshakeKind>) {
        self.next.learn(handshake);
    }
}
