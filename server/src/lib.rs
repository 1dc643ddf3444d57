//! The file server: one confined tree a user, reached over FTP with TLS.
//! [`Server`] is bound, tells its addresses, and runs until told to stop; the program, the
//! all-in-one program and the tests all start it this way.

mod anonymous;
mod channel;
mod control;
mod conversation;
mod data;
mod files;
mod ftp;
mod healthcheck;
mod limits;
mod link;
mod listen;
mod login;
mod metrics;
mod mftp;
mod path;
mod presence;
mod proxies;
mod rates;
mod reach;
mod registry;
mod removal;
mod settings;
mod standing;
mod storage;
mod store;
mod tls;
mod transfer;
mod unlocks;
mod usage;
mod workers;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use wharfinger_accounts::{Accounts, Presence, Protocol, Trail};
use wharfinger_config::Config;
use wharfinger_config::program::{Current, Reach, Sockets};

pub use healthcheck::{Unwell, healthcheck};
pub use listen::BindError;
pub use store::wait_for_store;
pub use tls::certificate::{CertificateError, fingerprint};

use anonymous::Anonymous;
use data::passive::PassivePorts;
use limits::LoginLimits;
use listen::Listener;
use metrics::{Endpoint, Metrics};
use rates::Rates;
use registry::{Ending, Registry};
use settings::{LiveSettings, Settings};
use storage::local::LocalStorage;
use storage::{Storage, StorageError};
use tls::certificate::make_if_missing;
use transfer::Labour;
use usage::Ledgers;
use workers::Workers;

/// How long the audit trail's last records may take at the end.
const LAST_RECORDS: Duration = Duration::from_secs(10);

/// A file server that listens and does not serve yet.
pub struct Server {
    services: Arc<Services>,
    listeners: Vec<Listener>,
    endpoints: Vec<Endpoint>,
    current: Current,
}

/// What all sessions share.
pub(crate) struct Services {
    pub(crate) settings: LiveSettings,
    pub(crate) accounts: Accounts,
    /// None where nobody is let in without an account.
    pub(crate) anonymous: Option<Anonymous>,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) presence: Presence,
    pub(crate) rates: Arc<Rates>,
    pub(crate) ledgers: Ledgers,
    pub(crate) login_limits: LoginLimits,
    pub(crate) passive_ports: Arc<PassivePorts>,
    pub(crate) labour: Labour,
    pub(crate) metrics: Metrics,
    pub(crate) trail: Trail,
}

impl Services {
    /// Who is let in under this name without an account.
    pub(crate) fn anonymous_for(&self, name: &[u8], protocol: Protocol) -> Option<&Anonymous> {
        self.anonymous.as_ref().filter(|anonymous| anonymous.admits(name, protocol))
    }
}

/// Why the server can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The certificate or its key.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// An address to listen on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The port that active data connections are to be made from.
    #[error("cannot make data connections from port {port} (ftp.active_port): {reason}")]
    ActivePort {
        /// The port.
        port: u16,
        /// Why.
        reason: String,
    },
    /// No random numbers, or no host name.
    #[error("{0}")]
    System(String),
    /// The directory of the users' files, or of the anonymous ones.
    #[error("the storage root {root} can't be used: {reason}")]
    Storage {
        /// The directory.
        root: String,
        /// Why.
        reason: String,
    },
    /// The audit trail.
    #[error("the audit trail can't be begun: {0}")]
    Trail(String),
}

impl Server {
    /// The names under which systemd can hand sockets over (`FileDescriptorName=`).
    pub const SOCKETS: [&str; 5] = listen::SOCKETS;

    /// Reads the certificate (making one where none is configured), opens the storage and takes
    /// the addresses, or of `sockets` those that are for it. Call it within a tokio runtime.
    pub fn bind(mut current: Current, accounts: Accounts, sockets: &mut Sockets) -> Result<Self, StartError> {
        let config = current.get();
        if makes_certificate(&config) {
            make_if_missing(&config.certificate(), &config.key())?;
        }
        let settings = Settings::load(Arc::clone(&config))?;
        let root = config.storage_root();
        let storage = LocalStorage::open(&root, config.storage.uploads, config.storage.durable)
            .map_err(|error| no_storage(&root, &error))?;
        let anonymous = Anonymous::open(&config)?;
        let presence = accounts.presence(&config.node_name(), env!("CARGO_PKG_VERSION"));
        let services = Services {
            settings: LiveSettings::new(settings),
            trail: accounts.begin_trail(&writer()).map_err(|error| StartError::Trail(error.to_string()))?,
            presence: presence.map_err(|error| StartError::System(error.to_string()))?,
            rates: Arc::default(),
            ledgers: Ledgers::default(),
            accounts,
            anonymous,
            storage: Arc::new(storage),
            registry: Registry::new(),
            login_limits: LoginLimits::default(),
            passive_ports: PassivePorts::new(config.ftp.passive_ports),
            labour: Labour::new(),
            metrics: Metrics::default(),
        };
        // Known at the start rather than at somebody's first transfer.
        data::may_dial_from(config.ftp.active_port).map_err(|error| StartError::ActivePort {
            port: config.ftp.active_port,
            reason: listen::explain(&error),
        })?;
        let listeners = listen::bind(&config, sockets)?;
        let endpoints = listen::bind_endpoints(&config, sockets)?;
        for Listener { service, address, .. } in &listeners {
            tracing::info!(service = service.name(), %address, "listening");
            if service.is_always_in_clear() {
                let service = service.name();
                tracing::warn!(service, %address, "passwords and files are sent in clear here");
            }
        }
        for Endpoint { address, .. } in &endpoints {
            tracing::info!(service = "metrics", %address, "listening");
        }
        Ok(Self { services: Arc::new(services), listeners, endpoints, current })
    }

    /// What can be said of a configuration without starting: whether its certificate works.
    pub fn check(config: &Config) -> Result<(), CertificateError> {
        // One that is still to be made can't be wrong.
        if makes_certificate(config) && !config.certificate().exists() {
            return Ok(());
        }
        tls::Tls::load(config).map(drop)
    }

    /// What of the file system a server with this configuration needs.
    pub fn reach(config: &Config) -> Reach {
        reach::reach(config)
    }

    /// Where the server listens, and for what: `ftp`, `ftps`, `mftp` or `mftps`.
    pub fn addresses(&self) -> Vec<(&'static str, SocketAddr)> {
        self.listeners.iter().map(|listener| (listener.service.name(), listener.address)).collect()
    }

    /// Serves until `shutdown` ends. Then no session is taken on any more, transfers may finish
    /// for the configured grace, and the rest is cut off.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> std::io::Result<()> {
        let services = self.services;
        let workers = Workers::start()?;
        let standing = tokio::spawn(standing::watch(Arc::clone(&services)));
        let publisher = tokio::spawn(presence::publish(Arc::clone(&services)));
        let unlocks = tokio::spawn(unlocks::watch(Arc::clone(&services)));
        let metrics = tokio::spawn(metrics::serve(self.endpoints, Arc::clone(&services)));
        let keeper = tokio::spawn(usage::keep(Arc::clone(&services)));
        let recounter = tokio::spawn(usage::recount(Arc::clone(&services)));
        let remover = tokio::spawn(removal::watch(Arc::clone(&services)));
        let sweeper = tokio::spawn(sweep(Arc::clone(&services)));
        let ports = Arc::clone(&services.passive_ports);
        let ports = tokio::spawn(async move { ports.tidy().await });
        let serve_and_drain = async {
            shutdown.await;
            drain(&services).await;
        };
        // Accepting goes on while sessions drain, so that who comes late is told why not.
        tokio::select! {
            () = listen::accept(self.listeners, &services, &workers) => {}
            () = settings::follow(&services.settings, self.current) => {}
            () = serve_and_drain => {}
        }
        standing.abort();
        unlocks.abort();
        publisher.abort();
        recounter.abort();
        remover.abort();
        keeper.abort();
        usage::close(&services).await;
        presence::withdraw(&services).await;
        sweeper.abort();
        ports.abort();
        metrics.abort();
        services.trail.close(LAST_RECORDS).await;
        Ok(())
    }
}

/// Who writes the server's chain of the audit trail.
fn writer() -> String {
    format!("{}-server", rustix::system::uname().nodename().to_string_lossy())
}

/// Where none is configured, the server makes a certificate of its own.
fn makes_certificate(config: &Config) -> bool {
    config.tls.certificate.as_os_str().is_empty()
}

fn no_storage(root: &std::path::Path, error: &StorageError) -> StartError {
    StartError::Storage { root: root.display().to_string(), reason: error.to_string() }
}

/// Idle sessions end at once, transfers when they are done or when the grace is over.
async fn drain(services: &Services) {
    let grace = Duration::from_secs(services.settings.now().config.shutdown.grace_seconds);
    services.registry.end_all(Ending::Draining);
    if tokio::time::timeout(grace, services.registry.emptied()).await.is_err() {
        tracing::warn!(sessions = services.registry.count(), "the grace is over; transfers are cut off");
        services.registry.end_all(Ending::Stopping);
        // The last replies still have to go out.
        if tokio::time::timeout(Duration::from_secs(2), services.registry.emptied()).await.is_err() {
            tracing::warn!(sessions = services.registry.count(), "sessions that do not end are left behind");
        }
    }
}

/// What aborted uploads left behind is kept for a week, so that it can be resumed.
async fn sweep(services: Arc<Services>) {
    const KEPT: Duration = Duration::from_hours(7 * 24);
    const EVERY: Duration = Duration::from_hours(24);
    let config = Arc::clone(&services.settings.now().config);
    let mut roots = vec![config.storage_root()];
    roots.extend(config.anonymous.enabled.then(|| config.anonymous_root()));
    let mut days = tokio::time::interval(EVERY);
    loop {
        days.tick().await;
        for root in roots.clone() {
            let homes = root == config.storage_root();
            match tokio::task::spawn_blocking(move || storage::local::sweep(&root, KEPT)).await {
                Ok(Ok(removed)) => {
                    let parts: i64 = removed.iter().map(|(_, freed)| freed.files).sum();
                    if parts > 0 {
                        tracing::info!(removed = parts, "old partial uploads removed");
                    }
                    if homes {
                        usage::swept(&services.presence, &removed).await;
                    }
                }
                Ok(Err(error)) => tracing::warn!(%error, "old partial uploads can't be removed"),
                Err(error) => tracing::error!(%error, "the search for old partial uploads failed"),
            }
        }
    }
}
