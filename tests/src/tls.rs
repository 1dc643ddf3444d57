//! The TLS side of the raw FTP client: it trusts the server's own certificate and keeps the
//! sessions of one control connection to itself, as the data connections of real clients do.

use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};

use crate::authority::Issued;

/// The TLS version a client insists on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// TLS 1.2 alone.
    Tls12,
    /// TLS 1.3 alone.
    Tls13,
}

impl Version {
    /// Both, for tests that try each.
    pub const ALL: [Version; 2] = [Version::Tls12, Version::Tls13];
}

/// What one client session trusts, speaks, shows and remembers.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Tls {
    /// Trusts the certificate in this PEM file; remembers no session yet.
    pub fn new(certificate: &Path, version: Version) -> Tls {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
        let versions = match version {
            Version::Tls12 => [&TLS12],
            Version::Tls13 => [&TLS13],
        };
        let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.resumption = Resumption::in_memory_sessions(256);
        Tls { config: Arc::new(config), name: ServerName::try_from("localhost").unwrap() }
    }

    /// The same for a server known by this name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Tls {
        self.name = ServerName::try_from(name.to_owned()).unwrap();
        self
    }

    /// The same, offering these application protocols (ALPN).
    #[must_use]
    pub fn offering(self, protocols: &[&str]) -> Tls {
        self.with(|config| {
            config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        })
    }

    /// The same, showing this certificate where one is asked for.
    #[must_use]
    pub fn showing(self, issued: &Issued) -> Tls {
        self.with(|config| {
            let chain = vec![CertificateDer::from_pem_file(&issued.certificate).unwrap()];
            let key = PrivateKeyDer::from_pem_file(&issued.key).unwrap();
            let certified = CertifiedKey::from_der(chain, key, &default_provider()).unwrap();
            config.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(certified));
        })
    }

    /// The same trust and version without any memory: its handshakes are full ones.
    #[must_use]
    pub fn forgetful(&self) -> Tls {
        self.clone().with(|config| config.resumption = Resumption::disabled())
    }

    fn with(mut self, change: impl FnOnce(&mut ClientConfig)) -> Tls {
        change(Arc::make_mut(&mut self.config));
        self
    }

    /// The configuration, for a client that has its own way with connections.
    pub fn config(&self) -> &Arc<ClientConfig> {
        &self.config
    }

    /// Begins TLS on a connection; the handshake comes with the first bytes.
    pub fn secure(&self, socket: TcpStream) -> StreamOwned<ClientConnection, TcpStream> {
        let session = ClientConnection::new(Arc::clone(&self.config), self.name.clone()).unwrap();
        StreamOwned::new(session, socket)
    }
}
