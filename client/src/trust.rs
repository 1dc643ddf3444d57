//! Whom to believe: the platform's certificate authorities, those of a file, one certificate by its
//! fingerprint, or anybody.
//!
//! Whatever the rule, what the server showed is kept: the advice in an error and the doctor's
//! report are about that certificate.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    server::ParsedCertificate,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::failure::Failure;

pub(crate) use fingerprint::Fingerprint;

mod fingerprint;

/// The rule by which a server's certificate is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The platform's authorities.
    Platform,
    /// The certificates in this PEM file and no others.
    File(PathBuf),
    /// The one certificate with this SHA-256, whatever name and dates it has.
    Fingerprint(Fingerprint),
    /// Anybody: somebody on the way can read and change everything.
    Anybody,
}

/// The certificates a server has shown, its own first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shown(Arc<Mutex<Vec<CertificateDer<'static>>>>);

impl Trust {
    /// The TLS configuration of one session. Its memory is its own: a data connection resumes its
    /// control connection's session and no other.
    pub(crate) fn config(&self, protocol: &str, shown: &Shown) -> Result<ClientConfig, Failure> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let rule = match self {
            Self::Platform => Rule::Authorities(authorities(platform()?, &provider)?),
            Self::File(path) => {
                let certificates = file(path)?;
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(certificates.iter().cloned());
                Rule::File(certificates, authorities(roots, &provider)?)
            }
            Self::Fingerprint(fingerprint) => Rule::Fingerprint(*fingerprint),
            Self::Anybody => Rule::Anybody,
        };
        let judge = Judge { rule, provider: Arc::clone(&provider), shown: shown.clone() };
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|error| Failure::Tls(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(judge))
            .with_no_client_auth();
        // A server that speaks another protocol at this address refuses (ALPACA).
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        Ok(config)
    }
}

impl Shown {
    /// The certificates, the server's own first; empty before a handshake.
    pub(crate) fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, own: &CertificateDer<'_>, others: &[CertificateDer<'_>]) {
        let chain = std::iter::once(own).chain(others).map(|one| one.clone().into_owned()).collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = chain;
    }

    /// A failed handshake as a sentence with the way out.
    pub(crate) fn explain(&self, error: &Error, host: &str) -> String {
        let Error::InvalidCertificate(reason) = error else { return explain_handshake(error) };
        let chain = self.chain();
        let mut text = match reason {
            CertificateError::UnknownIssuer => {
                "the server's certificate is signed by nobody trusted".to_owned()
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the server's certificate has expired".to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the server's certificate is not valid yet; is this machine's clock right?".to_owned()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                format!("the server's certificate is not for the name {host}")
            }
            CertificateError::ApplicationVerificationFailure => {
                "the server's certificate is not the one with the given fingerprint".to_owned()
            }
            other => format!("the server's certificate can't be trusted: {other}"),
        };
        if let Some(own) = chain.first() {
            let fingerprint = Fingerprint::of(own);
            // Writing to a String does not fail.
            let _ = write!(
                text,
                "\n  its SHA-256 is {fingerprint}\n  If that is what the server's operator says it is, give \
                 --fingerprint {fingerprint}\n  or --ca FILE with the certificate or its authority."
            );
        }
        text
    }
}

fn explain_handshake(error: &Error) -> String {
    match error {
        Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => {
            "the server does not speak TLS there; ftpes:// is for servers that greet in clear, ftps:// for \
             those with TLS from the first byte"
                .to_owned()
        }
        Error::AlertReceived(alert) => format!("the server broke off the TLS handshake: {alert:?}"),
        Error::PeerIncompatible(_) => format!("the server speaks no TLS that is safe enough: {error}"),
        other => format!("TLS failed: {other}"),
    }
}

enum Rule {
    Authorities(Arc<WebPkiServerVerifier>),
    /// Authorities, or the server's own certificate, which is often made as one of an authority.
    File(Vec<CertificateDer<'static>>, Arc<WebPkiServerVerifier>),
    Fingerprint(Fingerprint),
    Anybody,
}

/// Keeps what the server shows, then judges by the rule.
struct Judge {
    rule: Rule,
    provider: Arc<CryptoProvider>,
    shown: Shown,
}

impl std::fmt::Debug for Judge {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Judge")
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.shown.keep(own, others);
        match &self.rule {
            Rule::File(certificates, _) if certificates.contains(own) => itself(own, name, now),
            Rule::Authorities(verifier) | Rule::File(_, verifier) => {
                verifier.verify_server_cert(own, others, name, ocsp, now)
            }
            Rule::Fingerprint(wanted) if *wanted == Fingerprint::of(own) => {
                Ok(ServerCertVerified::assertion())
            }
            Rule::Fingerprint(_) => {
                Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
            }
            Rule::Anybody => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn authorities(
    roots: RootCertStore,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, Failure> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| Failure::Tls(format!("the certificate authorities can't be used: {error}")))
}

fn platform() -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(Failure::Tls(
            "this machine has no certificate authorities; install them (ca-certificates), or give --ca FILE or \
             --fingerprint SHA256"
                .to_owned(),
        ));
    }
    Ok(roots)
}

fn file(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let unusable = |why: String| Failure::Usage(format!("--ca {}: {why}", path.display()));
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(error.to_string()))?;
    for certificate in &certificates {
        RootCertStore::empty().add(certificate.clone()).map_err(|error| unusable(error.to_string()))?;
    }
    if certificates.is_empty() { Err(unusable("no certificate in it".to_owned())) } else { Ok(certificates) }
}

/// A certificate that is trusted by itself: it must still be for this name and for today.
fn itself(
    own: &CertificateDer<'_>,
    name: &ServerName<'_>,
    now: UnixTime,
) -> Result<ServerCertVerified, Error> {
    verify_server_name(&ParsedCertificate::try_from(own)?, name)?;
    let unreadable = || Error::InvalidCertificate(CertificateError::BadEncoding);
    let (_, certificate) = X509Certificate::from_der(own).map_err(|_| unreadable())?;
    let now = i64::try_from(now.as_secs()).map_err(|_| unreadable())?;
    let validity = certificate.validity();
    if now > validity.not_after.timestamp() {
        return Err(Error::InvalidCertificate(CertificateError::Expired));
    }
    if now < validity.not_before.timestamp() {
        return Err(Error::InvalidCertificate(CertificateError::NotValidYet));
    }
    Ok(ServerCertVerified::assertion())
}
