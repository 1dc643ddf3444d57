//! The configuration's sections: names, types, defaults. The text of `docs/configuration.md`
//! is held to this file by a test.

mod sandbox;
mod tls;

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

pub use sandbox::{Landlock, Sandbox};
pub use tls::{Binding, BindingOverride, ClientCertificate, Host, Requirement, Tls};

use crate::values::{AddressOverride, PortRange, Secret, one_or_many, words};

/// `[store]`: where users are kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// `sqlite://PATH` or `mongodb://…/DATABASE`; empty: an SQLite file in the data directory.
    pub url: String,
    /// How long one request may wait for the store, seconds.
    pub timeout_seconds: u64,
    /// Most connections to the store.
    pub pool_size: u32,
}

impl Default for Store {
    fn default() -> Self {
        // An election after a crash takes up to 11 s with MongoDB's default time-out.
        Self { url: String::new(), timeout_seconds: 15, pool_size: 16 }
    }
}

/// `[storage]`: where files are kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Storage {
    /// The directory that holds the users' homes; empty: `files` in the data directory.
    pub root: PathBuf,
    /// When an upload becomes visible, and what is left of an aborted one.
    pub uploads: Uploads,
    /// Whether a file is on the disk before its 226 is sent.
    pub durable: bool,
}

/// When an upload becomes visible, and what is left of an aborted one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Uploads {
    /// Visible when whole; what is left of an aborted one can be resumed by its owner.
    #[default]
    AtomicResumable,
    /// Visible when whole; an aborted one leaves nothing.
    Atomic,
    /// Written under its own name from the first byte.
    Direct,
}

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

/// `[anonymous]`: logins without an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Anonymous {
    /// Whether the names `anonymous` and `ftp` are let in.
    pub enabled: bool,
    /// Whether they are asked for a password, any one; else the name alone logs in.
    pub ask_password: bool,
    /// The directory that they read; empty: `anonymous` in the data directory.
    pub root: PathBuf,
    /// A directory in there where they may leave files, and see none; empty: nowhere.
    pub incoming: String,
}

impl Default for Anonymous {
    fn default() -> Self {
        Self { enabled: false, ask_password: true, root: PathBuf::new(), incoming: String::new() }
    }
}

/// `[limits]`: bounds on sessions, logins and time.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Most control connections at once.
    pub max_sessions: u32,
    /// Most control connections at once from one address.
    pub max_sessions_per_address: u32,
    /// Failed logins from one address within `ban_seconds` before it is refused.
    pub login_failures: u32,
    /// Failed logins in one session before it is closed.
    pub login_failures_per_session: u32,
    /// How long an address is refused, seconds.
    pub ban_seconds: u64,
    /// How long a connection may take to log in, seconds.
    pub login_seconds: u64,
    /// How long a logged-in session may be silent, seconds.
    pub idle_seconds: u64,
    /// How long a data connection may take to come about, seconds.
    pub data_seconds: u64,
    /// How long a transfer may move no byte, seconds.
    pub stalled_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_sessions: 10_000,
            max_sessions_per_address: 200,
            login_failures: 10,
            login_failures_per_session: 3,
            ban_seconds: 300,
            login_seconds: 60,
            idle_seconds: 300,
            data_seconds: 30,
            stalled_seconds: 120,
        }
    }
}

/// `[admin]`: the admin API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Admin {
    /// Address of the listener.
    #[serde(deserialize_with = "one_or_many")]
    pub listen: Vec<SocketAddr>,
    /// Certificate chain for HTTPS, PEM; empty: plain HTTP.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// Requests a second from one address, and twice as many at once; 0: any number.
    pub requests_per_second: u32,
    /// File with the key that signs tokens; empty: `admin/token.key` in the data directory.
    pub token_key: PathBuf,
    /// How long a token is good, seconds.
    pub token_seconds: u64,
    /// The first owner's password; empty: one is generated and printed once.
    /// From the environment: `WHARFINGER_ADMIN_PASSWORD`, or `WHARFINGER_ADMIN_PASSWORD_FILE`.
    pub password: Secret,
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 8080))],
            certificate: PathBuf::new(),
            key: PathBuf::new(),
            requests_per_second: 100,
            token_key: PathBuf::new(),
            token_seconds: 900,
            password: Secret::default(),
        }
    }
}

/// `[metrics]`: the file server's metrics.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Addresses where they are asked for over plain HTTP; none: nowhere.
    #[serde(deserialize_with = "one_or_many")]
    pub listen: Vec<SocketAddr>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { listen: vec![SocketAddr::from(([127, 0, 0, 1], 9121))] }
    }
}

/// `[node]`: this file server among those on the same store.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Node {
    /// Its name in the list of nodes and sessions; empty: the host's name.
    pub name: String,
}

/// `[audit]`: the trail of who did what.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Audit {
    /// How long records are kept, days; 0: for ever.
    pub retention_days: u64,
}

impl Default for Audit {
    fn default() -> Self {
        Self { retention_days: 365 }
    }
}

/// `[log]`: what is logged, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,wharfinger_server=debug`.
    pub level: String,
    /// Text for people or JSON for machines.
    pub format: Format,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: Format::default() }
    }
}

/// Text for people or JSON for machines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// One line an event, for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// `[shutdown]`: what happens at the end.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shutdown {
    /// How long running transfers may go on after SIGTERM, seconds.
    pub grace_seconds: u64,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self { grace_seconds: 30 }
    }
}
