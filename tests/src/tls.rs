//! The TLS side of the raw FTP client: it trusts the server's own certificate and keeps the
//! sessions of one control connection to itself, as the data connections of real clients do.

use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};

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

/// What one client session trusts, speaks and remembers.
#[derive(Clone)]
pub struct Tls(Arc<ClientConfig>);

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
        Tls(Arc::new(config))
    }

    /// The same trust and version without any memory: its handshakes are full ones.
    #[must_use]
    pub fn forgetful(&self) -> Tls {
        let mut config = ClientConfig::clone(&self.0);
        config.resumption = Resumption::disabled();
        Tls(Arc::new(config))
    }

    /// Begins TLS on a connection; the handshake comes with the first bytes.
    pub fn secure(&self, socket: TcpStream) -> StreamOwned<ClientConnection, TcpStream> {
        let name = ServerName::try_from("localhost").unwrap();
        StreamOwned::new(ClientConnection::new(Arc::clone(&self.0), name).unwrap(), socket)
    }
}
