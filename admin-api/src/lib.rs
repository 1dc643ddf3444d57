//! The admin API: users over HTTP, for the people and programs that manage them. It knows the
//! accounts and nothing of files or FTP; it and the file servers hear of each other from the store.
//!
//! Where is what: every route in `routes.rs`, who may what in `admin.rs`, the users' handlers in
//! `users.rs`, every error's words in `error.rs`.

mod admin;
mod admins;
mod audit;
mod auth;
mod body;
mod docs;
mod envelope;
mod error;
mod health;
mod healthcheck;
mod json;
mod keys;
mod metrics;
mod openapi;
mod owner;
mod precondition;
mod query;
mod reach;
mod retention;
mod routes;
mod serve;
mod service;
mod sessions;
mod store;
mod throttle;
mod tls;
mod token_key;
mod tokens;
mod users;
mod values;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use wharfinger_accounts::Accounts;
use wharfinger_config::Config;
use wharfinger_config::program::{Current, Reach, Sockets, Watched};

pub use healthcheck::{Unwell, healthcheck};
pub use owner::{FirstOwner, OWNER, ensure_owner, make_admin};
pub use routes::{document, router};
pub use service::Service;
pub use store::{prepare_store, wait_for_store};
pub use tls::TlsError;
pub use token_key::{TokenKey, TokenKeyError};

use tls::Https;

/// How long the audit trail's last records may take at the end.
const LAST_RECORDS: Duration = Duration::from_secs(10);

/// The admin API with its listeners open: `bind`, then `addresses`, then `run`.
pub struct AdminApi {
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    service: Service,
    https: Https,
    /// What it was bound with; `current` has those that come.
    config: Arc<Config>,
    current: Current,
}

/// Why the API can't start.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// A listener's address can't be had.
    #[error("the admin API can't listen on {address}: {source}. {}", advice(source))]
    Listen {
        /// The address as configured.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A socket that was handed over can't be used.
    #[error("the admin API's socket from systemd can't be used: {0}")]
    Socket(io::Error),
    /// Tokens can't be signed.
    #[error(transparent)]
    TokenKey(#[from] TokenKeyError),
    /// HTTPS can't be spoken.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Changes can't be recorded.
    #[error("the audit trail can't be begun: {0}")]
    Trail(String),
}

impl AdminApi {
    /// The names under which systemd can hand sockets over (`FileDescriptorName=`).
    pub const SOCKETS: [&str; 1] = ["admin"];

    /// Reads or makes the token key and opens the configured listeners, or takes those of `sockets`.
    pub async fn bind(
        mut current: Current,
        accounts: Accounts,
        sockets: &mut Sockets,
    ) -> Result<Self, BindError> {
        let config = current.get();
        let key = TokenKey::read_or_make(&config.token_key())?;
        let https = Https::load(&config)?;
        let trail =
            accounts.begin_trail(&owner::writer()).map_err(|error| BindError::Trail(error.to_string()))?;
        let service = Service::new(accounts, trail, &key, &config.admin);
        let listeners = listen(&config.admin.listen, sockets.take(Self::SOCKETS[0])).await?;
        let addresses: Vec<_> = listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect();
        for address in &addresses {
            tracing::info!(service = "admin", %address, "listening");
        }
        Ok(Self { listeners, addresses, service, https, config, current })
    }

    /// What can be said of a configuration without starting: whether key and certificate work.
    pub fn check(config: &Config) -> Result<(), BindError> {
        TokenKey::check(config)?;
        Https::load(config)?;
        Ok(())
    }

    /// What of the file system an API with this configuration needs.
    pub fn reach(config: &Config) -> Reach {
        reach::reach(config)
    }

    /// Where the API listens, in the order of the configuration.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.addresses.clone()
    }

    /// Answers requests until `shutdown`; then takes no new ones, and gives those under way the
    /// configured grace. Follows the configuration meanwhile.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let Self { listeners, service, current, https, config, .. } = self;
        let tls = watch::Sender::new(https.acceptor);
        let watched = Watched::new(https.files);
        let served = serve::Service { router: router(&service), tls: tls.subscribe() };
        tokio::select! {
            () = serve::serve(listeners, served, shutdown, current.clone()) => {}
            () = retention::expire(&service.accounts, &service.trail, current.clone()) => {}
            () = follow(config, current, watched, &service, &tls) => {}
        }
        service.trail.close(LAST_RECORDS).await;
        Ok(())
    }
}

/// Uses each new configuration for the requests to come, and each certificate that is put in the place
/// of the one in use, if all of it can be had. Never ends.
async fn follow(
    mut config: Arc<Config>,
    mut current: Current,
    mut watched: Watched,
    service: &Service,
    tls: &watch::Sender<Option<TlsAcceptor>>,
) {
    loop {
        let (wanted, reason) = tokio::select! {
            config = current.changed() => (config, "the configuration was reloaded"),
            () = watched.changed() => (Arc::clone(&config), "a certificate's file was changed"),
        };
        match Https::load(&wanted) {
            Ok(https) => {
                service.follow(&wanted.admin);
                tls.send_replace(https.acceptor);
                watched = Watched::new(https.files);
                config = wanted;
                tracing::info!(reason, "new requests use new settings");
            }
            Err(error) => {
                tracing::error!(reason, %error, "the new settings can't be used; the old ones stay in use");
            }
        }
    }
}

/// The sockets handed over; where there are none, those of these addresses.
async fn listen(
    addresses: &[SocketAddr],
    handed_over: Vec<std::net::TcpListener>,
) -> Result<Vec<TcpListener>, BindError> {
    let mut listeners = Vec::new();
    if handed_over.is_empty() {
        for &address in addresses {
            let bound = TcpListener::bind(address).await;
            listeners.push(bound.map_err(|source| BindError::Listen { address, source })?);
        }
    }
    for socket in handed_over {
        listeners.push(TcpListener::from_std(socket).map_err(BindError::Socket)?);
    }
    Ok(listeners)
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "Another program has this address (`ss -ltnp` shows which): stop it, or choose another with \
             admin.listen or WHARFINGER_ADMIN__LISTEN"
        }
        io::ErrorKind::PermissionDenied => {
            "Ports below 1024 need CAP_NET_BIND_SERVICE: choose another with admin.listen or \
             WHARFINGER_ADMIN__LISTEN"
        }
        io::ErrorKind::AddrNotAvailable => {
            "This machine has no such address: choose another with admin.listen or WHARFINGER_ADMIN__LISTEN"
        }
        _ => "Choose another with admin.listen or WHARFINGER_ADMIN__LISTEN",
    }
}
