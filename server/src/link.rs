//! What is known of one client's connection, whoever is logged in and whatever is spoken.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use wharfinger_config::{Binding, ClientCertificate, Requirement};

use crate::Services;
use crate::control::{Control, Protection};
use crate::proxies::Ends;
use crate::registry::Live;
use crate::settings::Settings;
use crate::tls::{NoTls, SessionTls, Spoken};

/// How long a client waits for its goodbye if the store is slow.
const LEAVING: Duration = Duration::from_secs(2);

/// One client's connection.
pub(crate) struct Link {
    pub(crate) services: Arc<Services>,
    /// As they were when the session began.
    pub(crate) settings: Arc<Settings>,
    pub(crate) live: Arc<Live>,
    pub(crate) client: SocketAddr,
    /// What the client connected to.
    pub(crate) local: SocketAddr,
    /// This host's address on the connection: another one, behind a proxy.
    pub(crate) own: IpAddr,
    /// Made when TLS is first asked for: in clear, it would be most of what a session takes.
    pub(crate) tls: Option<Box<SessionTls>>,
    /// Whether a data connection must resume the TLS session.
    pub(crate) binding: Binding,
    pub(crate) policy: TlsPolicy,
    /// How the control connection is protected; none in clear.
    pub(crate) protection: Option<Protection>,
    /// Data connections use TLS.
    pub(crate) private: bool,
}

/// What must be under TLS on the listener that the client came in by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TlsPolicy {
    /// What a client may call itself.
    pub(crate) spoken: Spoken,
    /// TLS begins with the first byte, for data connections as well.
    pub(crate) at_once: bool,
    /// The login.
    pub(crate) control: Requirement,
    /// Transfers and listings.
    pub(crate) data: Requirement,
    /// Whether the client is asked for a certificate.
    pub(crate) client_certificate: ClientCertificate,
}

impl Link {
    /// Of a connection in clear.
    pub(crate) fn new(
        control: &Control,
        live: Arc<Live>,
        services: Arc<Services>,
        settings: Arc<Settings>,
        policy: TlsPolicy,
        own: IpAddr,
    ) -> Self {
        let Ends { client, reached } = control.ends();
        Self {
            tls: None,
            binding: settings.config.tls.binding_of(client.ip()),
            services,
            settings,
            live,
            client,
            local: reached,
            own,
            policy,
            protection: None,
            private: policy.at_once,
        }
    }

    /// The session's own TLS. The error is the system's lack of random numbers.
    pub(crate) fn secure(&mut self) -> Result<&SessionTls, NoTls> {
        let tls = if let Some(tls) = self.tls.take() {
            tls
        } else {
            let TlsPolicy { spoken, client_certificate, .. } = self.policy;
            Box::new(self.settings.tls.session(spoken, client_certificate, self.binding)?)
        };
        Ok(self.tls.insert(tls))
    }

    /// The session is over for its user: once the client hears the goodbye, the next one has its
    /// place. While the store is away, it comes back later.
    pub(crate) async fn leave(&self) {
        self.live.log_out();
        let back = timeout(LEAVING, self.services.presence.give_back_places()).await;
        if !matches!(back, Ok(Ok(()))) {
            tracing::debug!(client = %self.client.ip(), "a place is given back later: the store is away");
        }
    }

    /// When a login that begins now must be done.
    pub(crate) fn login_deadline(&self) -> Instant {
        Instant::now() + Duration::from_secs(self.settings.config.limits.login_seconds)
    }
}
