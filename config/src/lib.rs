//! Every setting of every program, in one place: all programs read the same file and the same
//! environment, so one crate knows all keys and can refuse a mistyped one.
//! It knows nothing of what the settings do; the crates that use them decide that.

mod load;
mod network;
pub mod program;
mod sections;
mod values;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use values::hosts;

pub use load::{ConfigError, load, secret_files};
pub use network::network;
pub use sections::{
    Admin, Anonymous, Audit, Binding, BindingOverride, ClientCertificate, Format, Ftp, Host, Landlock,
    Limits, Log, MFTP_SWITCHES, Metrics, Mftp, Node, Proxy, Requirement, Sandbox, Shutdown, Storage, Store,
    Tls, Uploads,
};
pub use values::{AddressOverride, Clients, PortRange, Secret};

/// The whole configuration; what is left out of the file has the default given here.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where everything lives that has no place of its own configured.
    pub data_dir: PathBuf,
    /// Users, admins and what is recorded of them.
    pub store: Store,
    /// The users' files.
    pub storage: Storage,
    /// The FTP listeners and what they say.
    pub ftp: Ftp,
    /// The MFTP listeners.
    pub mftp: Mftp,
    /// Balancers in front of the file server.
    pub proxy: Proxy,
    /// Logins without an account.
    pub anonymous: Anonymous,
    /// Certificate and policy.
    pub tls: Tls,
    /// Further names the server is known by, and their certificates.
    #[serde(deserialize_with = "hosts")]
    pub hosts: Vec<Host>,
    /// Bounds on sessions, logins and time.
    pub limits: Limits,
    /// The admin API.
    pub admin: Admin,
    /// The file server's metrics.
    pub metrics: Metrics,
    /// This file server among others.
    pub node: Node,
    /// Who did what, and for how long it is known.
    pub audit: Audit,
    /// What is logged, and how.
    pub log: Log,
    /// What the process can reach.
    pub sandbox: Sandbox,
    /// What happens at the end.
    pub shutdown: Shutdown,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("wharfinger-data"),
            store: Store::default(),
            storage: Storage::default(),
            ftp: Ftp::default(),
            mftp: Mftp::default(),
            proxy: Proxy::default(),
            anonymous: Anonymous::default(),
            tls: Tls::default(),
            hosts: Vec::new(),
            limits: Limits::default(),
            admin: Admin::default(),
            metrics: Metrics::default(),
            node: Node::default(),
            audit: Audit::default(),
            log: Log::default(),
            sandbox: Sandbox::default(),
            shutdown: Shutdown::default(),
        }
    }
}

impl Config {
    /// The store's URL: the configured one, else an SQLite file in the data directory.
    pub fn store_url(&self) -> String {
        if self.store.url.is_empty() {
            format!("sqlite://{}", self.data_dir.join("wharfinger.db").display())
        } else {
            self.store.url.clone()
        }
    }

    /// Whether the store is a file on this machine, which no waiting brings about.
    pub fn store_is_a_file(&self) -> bool {
        self.store_url().starts_with("sqlite:")
    }

    /// The directory below which every user's home lies.
    pub fn storage_root(&self) -> PathBuf {
        self.or_in_data_dir(&self.storage.root, "files")
    }

    /// The directory that anonymous logins read.
    pub fn anonymous_root(&self) -> PathBuf {
        self.or_in_data_dir(&self.anonymous.root, "anonymous")
    }

    /// The certificate chain, PEM.
    pub fn certificate(&self) -> PathBuf {
        self.or_in_data_dir(&self.tls.certificate, "tls/server.pem")
    }

    /// The certificate's private key, PEM.
    pub fn key(&self) -> PathBuf {
        self.or_in_data_dir(&self.tls.key, "tls/server.key")
    }

    /// The key that signs the admin API's tokens.
    pub fn token_key(&self) -> PathBuf {
        self.or_in_data_dir(&self.admin.token_key, "admin/token.key")
    }

    /// The file server's name among those on the same store: the configured one, else the host's.
    pub fn node_name(&self) -> String {
        if !self.node.name.is_empty() {
            return self.node.name.clone();
        }
        rustix::system::uname().nodename().to_string_lossy().into_owned()
    }

    fn or_in_data_dir(&self, configured: &Path, default: &str) -> PathBuf {
        if configured.as_os_str().is_empty() { self.data_dir.join(default) } else { configured.to_owned() }
    }
}
