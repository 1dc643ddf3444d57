//! Where the file server listens, what it says there, and who stands in front of it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::ClientCertificate;
use crate::values::{AddressOverride, PortRange, one_or_many, words};

/// `[ftp]`: the FTP listeners.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ftp {
    /// Addresses of the explicit-TLS listeners.
    #[serde(deserialize_with = "one_or_many")]
    pub listen: Vec<SocketAddr>,
    /// Addresses of the listeners that are under TLS from the first byte on.
    #[serde(deserialize_with = "one_or_many")]
    pub implicit_tls_listen: Vec<SocketAddr>,
    /// Whether clients of `listen` are asked for a TLS certificate.
    pub client_certificate: ClientCertificate,
    /// Whether clients of `implicit_tls_listen` are.
    pub implicit_tls_client_certificate: ClientCertificate,
    /// Ports for passive data connections, `FIRST-LAST`.
    pub passive_ports: PortRange,
    /// What PASV advertises: an IPv4 address or a DNS name; empty: the control connection's own.
    pub public_address: String,
    /// What PASV advertises to the clients of these networks instead, `NETWORK=ADDRESS`.
    #[serde(deserialize_with = "one_or_many")]
    pub public_address_overrides: Vec<AddressOverride>,
    /// The port that active data connections are made from; 0: whichever is free.
    pub active_port: u16,
    /// The text of the 220 greeting.
    pub banner: String,
}

impl Default for Ftp {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 2121)],
            implicit_tls_listen: Vec::new(),
            client_certificate: ClientCertificate::default(),
            implicit_tls_client_certificate: ClientCertificate::default(),
            passive_ports: PortRange { first: 50000, last: 50099 },
            public_address: String::new(),
            public_address_overrides: Vec::new(),
            active_port: 0,
            banner: "Wharfinger ready.".to_owned(),
        }
    }
}

/// `[mftp]`: the MFTP listeners, of which there is none by default.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mftp {
    /// Addresses of the listeners in clear.
    #[serde(deserialize_with = "one_or_many")]
    pub listen: Vec<SocketAddr>,
    /// Addresses of the listeners under TLS from the first byte.
    #[serde(deserialize_with = "one_or_many")]
    pub tls_listen: Vec<SocketAddr>,
    /// Whether clients of `tls_listen` are asked for a TLS certificate.
    pub client_certificate: ClientCertificate,
    /// Commands that are refused, out of [`MFTP_SWITCHES`].
    #[serde(deserialize_with = "words")]
    pub disabled_commands: Vec<String>,
}

/// The commands of MFTP that can be switched off.
pub const MFTP_SWITCHES: [&str; 12] =
    ["LIST", "RETR", "STOR", "DELE", "RMDR", "MKDR", "CHWD", "SIZE", "RNME", "MDTM", "PWRD", "WAMI"];

/// `[proxy]`: balancers in front of the file server.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Proxy {
    /// Networks from which every connection begins with a PROXY header, which is believed.
    #[serde(deserialize_with = "one_or_many")]
    pub trusted: Vec<IpNet>,
}
