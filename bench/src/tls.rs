//! The load's side of TLS: TLS 1.3, AES-256-GCM, X25519 or P-256, the same for every server. Data
//! connections resume the control connection's session as long as there are tickets: each is used once.

use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::version::TLS13;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};

/// What a connection is secured with.
pub(crate) type Secure = StreamOwned<ClientConnection, TcpStream>;

/// Trusts the benchmark's certificate; makes the memory of each session.
#[derive(Clone)]
pub(crate) struct Trust {
    roots: Arc<RootCertStore>,
}

/// One session's TLS: its data connections resume what its control connection has begun.
#[derive(Clone)]
pub(crate) struct SessionTls(Arc<ClientConfig>);

impl Trust {
    pub(crate) fn of(certificate: &Path) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(certificate).context("the certificate")?)?;
        Ok(Self { roots: Arc::new(roots) })
    }

    pub(crate) fn session(&self) -> anyhow::Result<SessionTls> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider()))
            .with_protocol_versions(&[&TLS13])?
            .with_root_certificates(Arc::clone(&self.roots))
            .with_no_client_auth();
        config.resumption = Resumption::in_memory_sessions(256);
        Ok(SessionTls(Arc::new(config)))
    }
}

impl SessionTls {
    /// The handshake comes with the first bytes.
    pub(crate) fn secure(&self, stream: TcpStream) -> anyhow::Result<Secure> {
        let mut session = ClientConnection::new(Arc::clone(&self.0), ServerName::try_from("localhost")?)?;
        session.set_buffer_limit(None);
        Ok(StreamOwned::new(session, stream))
    }
}

/// The server side of the floor: the same algorithms.
pub(crate) fn server(certificate: &Path, key: &Path) -> anyhow::Result<Arc<ServerConfig>> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&TLS13])?
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_file(certificate)?],
            PrivateKeyDer::from_pem_file(key)?,
        )?;
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

fn provider() -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites = vec![aws_lc_rs::cipher_suite::TLS13_AES_256_GCM_SHA384];
    provider.kx_groups = vec![aws_lc_rs::kx_group::X25519, aws_lc_rs::kx_group::SECP256R1];
    provider
}
