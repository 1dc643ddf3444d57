//! Certificates, and the TLS configurations made from them.
//! Each control connection gets configurations of its own with a private ticket key and session
//! cache. Only data connections of that same session can present what these know, so a resumed data handshake
//! proves that its peer is the control connection's client. It knows nothing of commands.

pub(crate) mod certificate;
mod hosts;
pub(crate) mod names;
mod tickets;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{
    NoServerSessionStorage, ServerConfig, ServerSessionMemoryCache, VerifierBuilderError,
    WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use wharfinger_config::{Binding, ClientCertificate, Config};

use certificate::CertificateError;
use hosts::{Choice, Hosts};
use tickets::Tickets;

/// TLS 1.2 sessions kept by id for a client that takes no tickets (curl before TLS 1.3): the
/// control connection's, and that of the last data connections. As private as the tickets.
const KEPT_SESSIONS: usize = 4;

/// What every session's TLS starts from: certificates, and whom to believe.
pub(crate) struct Tls {
    pub(crate) hosts: Arc<Hosts>,
    authorities: Option<Arc<RootCertStore>>,
}

/// One session's TLS: configurations that share one private ticket key.
pub(crate) struct SessionTls {
    control: ServerConfig,
    data: ServerConfig,
    hosts: Arc<Hosts>,
    chosen: Arc<OnceLock<Arc<CertifiedKey>>>,
    tickets: Arc<Tickets>,
}

/// What clients may say they speak (ALPN, RFC 7301). Who offers names and none of these means to
/// speak to another server and is refused (ALPACA); who offers none is not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spoken {
    control: &'static [&'static [u8]],
    data: &'static [&'static [u8]],
}

impl Spoken {
    /// By the names of RFC 4217's registry entry and of what clients send.
    pub(crate) const FTP: Self = Self { control: &[b"ftp"], data: &[b"ftp", b"ftp-data"] };
    /// The registry has no name for it, and `ftp` is another protocol's.
    pub(crate) const MFTP: Self = Self { control: &[b"mftp"], data: &[b"mftp"] };
}

/// Why a session has no TLS.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoTls {
    /// The system's lack of random numbers, above all.
    #[error(transparent)]
    Library(#[from] rustls::Error),
    /// Clients' certificates can't be checked.
    #[error(transparent)]
    Verifier(#[from] VerifierBuilderError),
}

impl Tls {
    /// Reads what the configuration names.
    pub(crate) fn load(config: &Config) -> Result<Self, CertificateError> {
        let authorities = &config.tls.client_ca;
        let authorities = if authorities.as_os_str().is_empty() {
            None
        } else {
            Some(Arc::new(certificate::load_authorities(authorities)?))
        };
        Ok(Self { hosts: Arc::new(Hosts::load(config)?), authorities })
    }

    /// The files that `load` reads.
    pub(crate) fn files(config: &Config) -> Vec<PathBuf> {
        let mut files = vec![config.certificate(), config.key(), config.tls.client_ca.clone()];
        for host in &config.hosts {
            files.extend([host.certificate.clone(), host.key.clone()]);
        }
        files
    }

    /// Configurations for a new session, whose client is asked for a certificate or not.
    pub(crate) fn session(
        &self,
        spoken: Spoken,
        asked: ClientCertificate,
        binding: Binding,
    ) -> Result<SessionTls, NoTls> {
        let (chosen, tickets) = (Arc::default(), Arc::new(Tickets::new()?));
        // A data connection is its session's by its address and its ticket; no certificate is
        // asked for again.
        let mut data = self.configuration(WebPkiClientVerifier::no_client_auth(), &chosen)?;
        if binding != Binding::Off {
            data.ticketer = Arc::clone(&tickets) as _;
            data.session_storage = ServerSessionMemoryCache::new(KEPT_SESSIONS);
        }
        let mut control = self.configuration(self.verifier(asked)?, &chosen)?;
        control.ticketer = Arc::clone(&data.ticketer);
        control.session_storage = Arc::clone(&data.session_storage);
        control.send_tls13_tickets = tickets::WITH_CONTROL;
        let names = |names: &[&[u8]]| names.iter().map(|name| name.to_vec()).collect();
        (control.alpn_protocols, data.alpn_protocols) = (names(spoken.control), names(spoken.data));
        Ok(SessionTls { control, data, hosts: Arc::clone(&self.hosts), chosen, tickets })
    }

    fn configuration(
        &self,
        verifier: Arc<dyn ClientCertVerifier>,
        chosen: &Arc<OnceLock<Arc<CertifiedKey>>>,
    ) -> Result<ServerConfig, rustls::Error> {
        let builder = ServerConfig::builder_with_provider(provider());
        let choice = Choice { hosts: Arc::clone(&self.hosts), asked_for: None, chosen: Arc::clone(chosen) };
        let mut config = builder
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(choice));
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(config)
    }

    fn verifier(
        &self,
        asked: ClientCertificate,
    ) -> Result<Arc<dyn ClientCertVerifier>, VerifierBuilderError> {
        let (Some(authorities), true) = (&self.authorities, asked != ClientCertificate::None) else {
            return Ok(WebPkiClientVerifier::no_client_auth());
        };
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::clone(authorities), provider());
        match asked {
            ClientCertificate::Required => builder.build(),
            ClientCertificate::Optional | ClientCertificate::None => builder.allow_unauthenticated().build(),
        }
    }
}

impl SessionTls {
    /// The configuration for the control connection, whose client may have named a host in clear.
    pub(crate) fn control(&self, asked_for: Option<String>) -> Arc<ServerConfig> {
        let mut config = self.control.clone();
        let (hosts, chosen) = (Arc::clone(&self.hosts), Arc::clone(&self.chosen));
        config.cert_resolver = Arc::new(Choice { hosts, asked_for, chosen });
        Arc::new(config)
    }

    /// The configuration for a data connection, with or without a fresh ticket at the end of
    /// the handshake (TLS 1.3; in TLS 1.2 the ticket is part of the handshake and does no harm).
    pub(crate) fn data(&self, ticket: bool) -> Arc<ServerConfig> {
        let mut config = self.data.clone();
        config.send_tls13_tickets = usize::from(ticket);
        Arc::new(config)
    }

    /// Whether the client uses each ticket once and is about to have none.
    pub(crate) fn runs_short_of_tickets(&self) -> bool {
        self.tickets.run_short()
    }
}

/// Made once: it is the same for all.
fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(default_provider())))
}
