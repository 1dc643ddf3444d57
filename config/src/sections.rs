//! The configuration's sections: names, types, defaults. The text of `docs/configuration.md`
//! is held to this file by a test.

mod limits;
mod listeners;
mod sandbox;
mod tls;

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use limits::Limits;
pub use listeners::{Ftp, MFTP_SWITCHES, Mftp, Proxy};
pub use sandbox::{Landlock, Sandbox};
pub use tls::{Binding, BindingOverride, ClientCertificate, Host, Requirement, Tls};

use crate::values::{Secret, one_or_many};

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
