//! The address that PASV advertises: the configured one, or the control connection's own.
//! A DNS name is asked for again every minute, because the address behind it may change.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::lookup_host;
use tokio::time::timeout;

/// How long an answer of DNS is good.
const GOOD_FOR: Duration = Duration::from_mins(1);
/// How long DNS may take; a client waits behind it.
const PATIENCE: Duration = Duration::from_secs(3);

/// The configured public address.
pub(crate) enum PublicAddress {
    /// None: every client sees the address it connected to.
    Own,
    Literal(Ipv4Addr),
    Name {
        name: String,
        known: Mutex<Option<(Instant, Ipv4Addr)>>,
    },
}

impl PublicAddress {
    /// From the setting `ftp.public_address`.
    pub(crate) fn new(setting: &str) -> Self {
        match setting.parse() {
            _ if setting.is_empty() => Self::Own,
            Ok(address) => Self::Literal(address),
            Err(_) => Self::Name { name: setting.to_owned(), known: Mutex::default() },
        }
    }

    /// What to tell a client who reached us at `local`. A client on this machine is told the
    /// loopback address it used: the public one may not lead back here.
    pub(crate) async fn advertised(&self, local: IpAddr) -> Option<Ipv4Addr> {
        let own = match local {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        };
        if local.is_loopback() {
            return own;
        }
        match self {
            Self::Own => own,
            Self::Literal(address) => Some(*address),
            Self::Name { name, known } => resolve(name, known).await.or(own),
        }
    }
}

async fn resolve(name: &str, known: &Mutex<Option<(Instant, Ipv4Addr)>>) -> Option<Ipv4Addr> {
    let last = *known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((asked, address)) = last
        && asked.elapsed() < GOOD_FOR
    {
        return Some(address);
    }
    let found = match timeout(PATIENCE, lookup_host((name, 0))).await {
        Ok(Ok(addresses)) => addresses.map(|address| address.ip()).find_map(|address| match address {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        }),
        Ok(Err(error)) => {
            tracing::warn!(name, %error, "ftp.public_address can't be resolved");
            None
        }
        Err(_) => {
            tracing::warn!(name, "ftp.public_address is not resolved in time");
            None
        }
    };
    // An old answer is better than none.
    let address = found.or(last.map(|(_, address)| address))?;
    *known.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), address));
    Some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_on_this_machine_is_told_the_address_it_used() {
        let public = PublicAddress::new("203.0.113.7");
        let loopback = Ipv4Addr::LOCALHOST;
        assert_eq!(public.advertised(loopback.into()).await, Some(loopback));
        let outside = Ipv4Addr::new(192, 0, 2, 1);
        assert_eq!(public.advertised(outside.into()).await, Some(Ipv4Addr::new(203, 0, 113, 7)));
        assert_eq!(PublicAddress::new("").advertised(outside.into()).await, Some(outside));
    }

    #[tokio::test]
    async fn a_name_is_resolved_and_one_that_cannot_be_leaves_the_own_address() {
        let outside = Ipv4Addr::new(192, 0, 2, 1);
        let public = PublicAddress::new("localhost");
        assert_eq!(public.advertised(outside.into()).await, Some(Ipv4Addr::LOCALHOST));
        let public = PublicAddress::new("no such name");
        assert_eq!(public.advertised(outside.into()).await, Some(outside));
    }
}
