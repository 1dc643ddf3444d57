//! The certificate on disk: read, or made at the first start.
//! A made one is self-signed and good for this machine's names; clients are told to trust that
//! one file or its fingerprint.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// How long a made certificate is good, days. Longer ones are refused by some clients.
const MADE_FOR_DAYS: i64 = 825;

/// What is wrong with the certificate, as a sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file can't be read, or isn't PEM of the right kind.
    #[error("cannot read the {what} {}: {reason}; give a PEM file that this user can read", path.display())]
    Unreadable {
        /// "certificate", "private key" or "client authority".
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Certificate and key can't be used together or at all.
    #[error("the certificate {} and the key {} do not work: {reason}", certificate.display(), key.display())]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What the TLS library says.
        reason: String,
    },
    /// A certificate can't be made or stored.
    #[error("cannot make a certificate at {}: {reason}", path.display())]
    NotMade {
        /// Where it would be.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl CertificateError {
    fn unreadable(what: &'static str, path: &Path, reason: &dyn ToString) -> Self {
        Self::Unreadable { what, path: path.to_owned(), reason: reason.to_string() }
    }
}

/// Reads certificate chain and key, and checks that they belong together.
pub(crate) fn load(certificate: &Path, key: &Path) -> Result<CertifiedKey, CertificateError> {
    let chain = read_chain("certificate", certificate)?;
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| CertificateError::unreadable("private key", key, &error))?;
    CertifiedKey::from_der(chain, private, &default_provider()).map_err(|error| CertificateError::Unusable {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        reason: error.to_string(),
    })
}

/// Reads the authorities that may sign clients' certificates.
pub(crate) fn load_authorities(path: &Path) -> Result<RootCertStore, CertificateError> {
    let mut authorities = RootCertStore::empty();
    for certificate in read_chain("client authority", path)? {
        authorities
            .add(certificate)
            .map_err(|error| CertificateError::unreadable("client authority", path, &error))?;
    }
    Ok(authorities)
}

fn read_chain(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    chain(path).map_err(|error| CertificateError::unreadable(what, path, &error))
}

/// Makes a self-signed certificate unless one is there; says whether it did.
///
/// The key is readable by its owner alone from the moment it exists.
pub(crate) fn make_if_missing(certificate: &Path, key: &Path) -> Result<bool, CertificateError> {
    if certificate.exists() || key.exists() {
        return Ok(false);
    }
    let not_made = |error: &dyn ToString| CertificateError::NotMade {
        path: certificate.to_owned(),
        reason: error.to_string(),
    };
    let pair = rcgen::KeyPair::generate().map_err(|error| not_made(&error))?;
    let made = parameters()
        .and_then(|parameters| parameters.self_signed(&pair))
        .map_err(|error| not_made(&error))?;
    write(key, &pair.serialize_pem(), 0o600).map_err(|error| not_made(&error))?;
    write(certificate, &made.pem(), 0o644).map_err(|error| not_made(&error))?;
    Ok(true)
}

/// The SHA-256 fingerprint of the first certificate in the file: `AB:CD:…`, as browsers and
/// FTP clients show it.
pub fn fingerprint(certificate: &Path) -> Result<String, CertificateError> {
    let chain = read_chain("certificate", certificate)?;
    let empty = || CertificateError::unreadable("certificate", certificate, &"no certificate in it");
    let first = chain.first().ok_or_else(empty)?;
    let mut text = String::new();
    for byte in sha256(first) {
        let separator = if text.is_empty() { "" } else { ":" };
        // Writing to a String does not fail.
        let _ = write!(text, "{separator}{byte:02X}");
    }
    Ok(text)
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, rustls_pki_types::pem::Error> {
    let chain = CertificateDer::pem_file_iter(path)?.collect::<Result<Vec<_>, _>>()?;
    if chain.is_empty() { Err(rustls_pki_types::pem::Error::NoItemsFound) } else { Ok(chain) }
}

/// SHA-256 as the TLS library computes it; a cipher suite names its hash.
fn sha256(bytes: &[u8]) -> Vec<u8> {
    let suite = TLS13_AES_128_GCM_SHA256.tls13();
    suite.map_or_else(Vec::new, |suite| suite.common.hash_provider.hash(bytes).as_ref().to_vec())
}

fn parameters() -> Result<rcgen::CertificateParams, rcgen::Error> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if !host.is_empty() && host != "localhost" {
        names.push(host);
    }
    let mut parameters = rcgen::CertificateParams::new(names)?;
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(rcgen::DnType::CommonName, "Wharfinger self-signed");
    let now = jiff::Timestamp::now();
    let day = |offset: i64| {
        let date =
            (now + jiff::SignedDuration::from_hours(24 * offset)).to_zoned(jiff::tz::TimeZone::UTC).date();
        rcgen::date_time_ymd(i32::from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    // A day back, for clients whose clock is behind.
    parameters.not_before = day(-1);
    parameters.not_after = day(MADE_FOR_DAYS);
    parameters.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    Ok(parameters)
}

fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
