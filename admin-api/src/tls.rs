//! HTTPS: the certificate of the admin API, read and checked as a whole. Where none is configured, the
//! API speaks plain HTTP, which its default address, loopback, is made for.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use wharfinger_config::Config;
use wharfinger_config::program::Files;

/// Why HTTPS can't be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One of the two is configured without the other.
    #[error("admin.certificate and admin.key belong together: set both, or neither")]
    Half,
    /// A file can't be read.
    #[error("{path} can't be read as PEM: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The two don't fit together.
    #[error("the admin API's certificate can't be used with its key: {0}")]
    Pair(#[from] rustls::Error),
}

/// HTTPS as a configuration wants it.
pub(crate) struct Https {
    /// What takes connections to TLS; `None` where none is configured.
    pub(crate) acceptor: Option<TlsAcceptor>,
    /// Certificate and key as they were just before they were read.
    pub(crate) files: Files,
}

impl Https {
    /// Reads the files that the configuration names.
    pub(crate) fn load(config: &Config) -> Result<Self, TlsError> {
        let named = [&config.admin.certificate, &config.admin.key].into_iter();
        let files = Files::look(named.filter(|path| !path.as_os_str().is_empty()).cloned().collect());
        Ok(Self { acceptor: acceptor(config)?, files })
    }
}

fn acceptor(config: &Config) -> Result<Option<TlsAcceptor>, TlsError> {
    let (certificate, key) = (&config.admin.certificate, &config.admin.key);
    match (certificate.as_os_str().is_empty(), key.as_os_str().is_empty()) {
        (true, true) => return Ok(None),
        (false, false) => {}
        (true, false) | (false, true) => return Err(TlsError::Half),
    }
    let unreadable = |path: &PathBuf| {
        let path = path.clone();
        move |error: rustls_pki_types::pem::Error| TlsError::File { path, reason: error.to_string() }
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(unreadable(certificate))?;
    if chain.is_empty() {
        let reason = "it holds no certificate".to_owned();
        return Err(TlsError::File { path: certificate.clone(), reason });
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(unreadable(key))?;
    let mut tls = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(tls))))
}

/// A handshake that was not made.
pub(crate) fn broken(error: &io::Error) {
    tracing::debug!(%error, "a TLS handshake with the admin API failed");
}
