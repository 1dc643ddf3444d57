//! The address that PASV advertises: the one configured for the client's network or for all, or the
//! control connection's own.
//! A DNS name is asked for again every minute, because the address behind it may change.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ipnet::Ipv4Net;
use tokio::net::lookup_host;
use tokio::time::timeout;
use wharfinger_config::{AddressOverride, Clients};

use super::gateway;

/// How long an answer of DNS is good.
const GOOD_FOR: Duration = Duration::from_mins(1);
/// How long DNS may take; a client waits behind it.
const PATIENCE: Duration = Duration::from_secs(3);

/// The configured public addresses.
pub(crate) struct PublicAddress {
    overrides: Vec<Override>,
    otherwise: Otherwise,
}

/// What the clients of a network are told; none: the address they connected to.
struct Override {
    clients: Ipv4Net,
    address: Option<Ipv4Addr>,
}

/// What clients are told of whose network nothing is said.
enum Otherwise {
    /// None: every client sees the address it connected to.
    Own,
    Literal(Ipv4Addr),
    Name {
        name: String,
        known: Mutex<Option<(Instant, Ipv4Addr)>>,
    },
}

impl PublicAddress {
    /// From the settings `ftp.public_address` and `ftp.public_address_overrides`.
    pub(crate) fn new(setting: &str, overrides: &[AddressOverride]) -> Self {
        let otherwise = match setting.parse() {
            _ if setting.is_empty() => Otherwise::Own,
            Ok(address) => Otherwise::Literal(address),
            Err(_) => Otherwise::Name { name: setting.to_owned(), known: Mutex::default() },
        };
        let overrides = overrides.iter().filter_map(|AddressOverride { clients, address }| {
            let clients = match clients {
                Clients::Network(network) => *network,
                Clients::Gateway => Ipv4Net::from(gateway::default_gateway()?),
            };
            Some(Override { clients, address: *address })
        });
        Self { overrides: overrides.collect(), otherwise }
    }

    /// What to tell a client who reached us at `local`. A client on this machine is told the
    /// loopback address it used, unless an override says otherwise: the public one may not lead
    /// back here.
    pub(crate) async fn advertised(&self, local: IpAddr, client: IpAddr) -> Option<Ipv4Addr> {
        let (IpAddr::V4(own), IpAddr::V4(client)) = (local, client) else { return None };
        if let Some(narrowest) = self.narrowest(client) {
            return Some(narrowest.address.unwrap_or(own));
        }
        match &self.otherwise {
            _ if own.is_loopback() => Some(own),
            Otherwise::Own => Some(own),
            Otherwise::Literal(address) => Some(*address),
            Otherwise::Name { name, known } => Some(resolve(name, known).await.unwrap_or(own)),
        }
    }

    fn narrowest(&self, client: Ipv4Addr) -> Option<&Override> {
        let matching = self.overrides.iter().filter(|one| one.clients.contains(&client));
        matching.max_by_key(|one| one.clients.prefix_len())
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

    const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;
    const INSIDE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
    const CLIENT: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 4);

    async fn told(public: &PublicAddress, local: Ipv4Addr, client: Ipv4Addr) -> Ipv4Addr {
        public.advertised(local.into(), client.into()).await.unwrap()
    }

    #[tokio::test]
    async fn a_client_on_this_machine_is_told_the_address_it_used() {
        let public = PublicAddress::new("203.0.113.7", &[]);
        assert_eq!(told(&public, LOOPBACK, LOOPBACK).await, LOOPBACK);
        assert_eq!(told(&public, INSIDE, CLIENT).await, Ipv4Addr::new(203, 0, 113, 7));
        assert_eq!(told(&PublicAddress::new("", &[]), INSIDE, CLIENT).await, INSIDE);
    }

    #[tokio::test]
    async fn a_name_is_resolved_and_one_that_cannot_be_leaves_the_own_address() {
        assert_eq!(told(&PublicAddress::new("localhost", &[]), INSIDE, CLIENT).await, LOOPBACK);
        assert_eq!(told(&PublicAddress::new("no such name", &[]), INSIDE, CLIENT).await, INSIDE);
    }

    #[tokio::test]
    async fn the_narrowest_network_that_holds_the_client_decides() {
        let overrides = ["198.51.0.0/16=203.0.113.1", "198.51.100.0/24=own", "127.0.0.0/8=203.0.113.3"];
        let overrides: Vec<_> = overrides.iter().map(|text| text.parse().unwrap()).collect();
        let public = PublicAddress::new("203.0.113.7", &overrides);
        assert_eq!(told(&public, INSIDE, CLIENT).await, INSIDE);
        assert_eq!(told(&public, INSIDE, Ipv4Addr::new(198, 51, 7, 7)).await, Ipv4Addr::new(203, 0, 113, 1));
        assert_eq!(told(&public, INSIDE, Ipv4Addr::new(198, 52, 7, 7)).await, Ipv4Addr::new(203, 0, 113, 7));
        assert_eq!(told(&public, LOOPBACK, LOOPBACK).await, Ipv4Addr::new(203, 0, 113, 3));
    }
}
