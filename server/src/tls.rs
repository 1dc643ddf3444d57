//! Certificates, and the TLS configurations made from them.
//! Each control connection gets configurations of its own with a private ticket key and session
//! cache. Only data connections of that same session can present what these know, so a resumed data handshake
//! proves that its peer is the control connection's client. It knows nothing of commands.

pub(crate) mod certificate;

use std::path::PathBuf;
use std::sync::Arc;

use rustls::server::{NoServerSessionStorage, ProducesTickets, ServerConfig, ServerSessionMemoryCache};
use wharfinger_config::{Binding, Config};

use certificate::CertificateError;

/// TLS 1.2 sessions kept by id for a client that takes no tickets (curl before TLS 1.3): the
/// control connection's, and that of the last data connections. As private as the tickets.
const KEPT_SESSIONS: usize = 4;

/// What every session's TLS starts from: the certificate and the policy on tickets.
pub(crate) struct Tls {
    base: ServerConfig,
    tickets: bool,
}

/// One session's TLS: configurations that share one private ticket key.
pub(crate) struct SessionTls {
    base: ServerConfig,
    control: Arc<ServerConfig>,
}

impl Tls {
    /// Reads what the configuration names.
    pub(crate) fn load(config: &Config) -> Result<Self, CertificateError> {
        let mut base = certificate::load(&config.certificate(), &config.key())?;
        base.session_storage = Arc::new(NoServerSessionStorage {});
        base.alpn_protocols = vec![b"ftp".to_vec()];
        Ok(Self { base, tickets: config.tls.data_binding != Binding::Off })
    }

    /// The files that `load` reads.
    pub(crate) fn files(config: &Config) -> Vec<PathBuf> {
        vec![config.certificate(), config.key()]
    }

    /// Configurations for a new session; the error is the system's lack of random numbers.
    pub(crate) fn session(&self) -> Result<SessionTls, rustls::Error> {
        let mut base = self.base.clone();
        if self.tickets {
            base.ticketer = private_ticketer()?;
            base.session_storage = ServerSessionMemoryCache::new(KEPT_SESSIONS);
        }
        Ok(SessionTls { control: Arc::new(base.clone()), base })
    }
}

impl SessionTls {
    pub(crate) fn control(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.control)
    }

    /// The configuration for a data connection, with or without a fresh ticket at the end of
    /// the handshake (TLS 1.3; in TLS 1.2 the ticket is part of the handshake and does no harm).
    pub(crate) fn data(&self, ticket: bool) -> Arc<ServerConfig> {
        let mut config = self.base.clone();
        config.alpn_protocols.push(b"ftp-data".to_vec());
        config.send_tls13_tickets = usize::from(ticket);
        Arc::new(config)
    }
}

/// Stateless tickets: a client such as lftp presents one ticket again and again, which a
/// single-use store would refuse at the second file.
fn private_ticketer() -> Result<Arc<dyn ProducesTickets>, rustls::Error> {
    rustls::crypto::aws_lc_rs::Ticketer::new()
}
