//! Certificate authorities of the tests' own, and what they issue: certificates for servers, whose
//! names the clients check, and for users, whose names the server checks.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SanType, date_time_ymd,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// An authority, whose certificate stands in a file of its own.
pub struct Authority {
    /// Its certificate, PEM: what those who trust it are given.
    pub certificate: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    directory: PathBuf,
}

/// A certificate and its key, each in a file of its own.
#[derive(Clone, Debug)]
pub struct Issued {
    /// PEM.
    pub certificate: PathBuf,
    /// PEM.
    pub key: PathBuf,
}

/// The kind of a certificate's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// P-256.
    Ecdsa,
    /// 2048 bits.
    Rsa,
}

impl Authority {
    /// One whose files lie in this directory.
    pub fn new(directory: &Path) -> Authority {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = common_name("Authority of the tests");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let made = parameters.self_signed(&key).unwrap();
        let certificate = new_file(directory, "authority.pem");
        fs::write(&certificate, made.pem()).unwrap();
        Authority { certificate, issuer: Issuer::new(parameters, key), directory: directory.to_owned() }
    }

    /// For a server of these names.
    pub fn server(&self, names: &[&str], key: Key) -> Issued {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut parameters = CertificateParams::new(names).unwrap();
        parameters.distinguished_name = common_name("a server");
        self.issue(parameters, ExtendedKeyUsagePurpose::ServerAuth, key)
    }

    /// For a user, named in the subject.
    pub fn user(&self, name: &str) -> Issued {
        self.user_until(name, (2100, 1, 1))
    }

    /// For a user, named in the subject, good until the beginning of this day.
    pub fn user_until(&self, name: &str, (year, month, day): (i32, u8, u8)) -> Issued {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = common_name(name);
        parameters.not_after = date_time_ymd(year, month, day);
        self.issue(parameters, ExtendedKeyUsagePurpose::ClientAuth, Key::Ecdsa)
    }

    /// For a user, named not in the subject but beside it (RFC 5280, subjectAltName).
    pub fn user_beside(&self, names: Vec<SanType>) -> Issued {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = common_name("somebody at example.org");
        parameters.subject_alt_names = names;
        self.issue(parameters, ExtendedKeyUsagePurpose::ClientAuth, Key::Ecdsa)
    }

    fn issue(&self, mut parameters: CertificateParams, usage: ExtendedKeyUsagePurpose, key: Key) -> Issued {
        parameters.extended_key_usages = vec![usage];
        let pair = KeyPair::generate_for(match key {
            Key::Ecdsa => &PKCS_ECDSA_P256_SHA256,
            Key::Rsa => &PKCS_RSA_SHA256,
        });
        let pair = pair.unwrap();
        let made = parameters.signed_by(&pair, &self.issuer).unwrap();
        let (certificate, key) = (new_file(&self.directory, "pem"), new_file(&self.directory, "key"));
        fs::write(&certificate, made.pem()).unwrap();
        fs::write(&key, pair.serialize_pem()).unwrap();
        Issued { certificate, key }
    }
}

impl Issued {
    /// The certificate, DER.
    pub fn der(&self) -> Vec<u8> {
        CertificateDer::from_pem_file(&self.certificate).unwrap().to_vec()
    }

    /// A configuration whose admin API shows it.
    pub fn for_the_admin_api(&self) -> String {
        let (certificate, key) = (self.certificate.display(), self.key.display());
        format!("[admin]\ncertificate = \"{certificate}\"\nkey = \"{key}\"\n")
    }

    /// Puts another pair in the place of this one, the certificate first, as people do.
    pub fn replace_with(&self, other: &Issued) {
        fs::copy(&other.certificate, &self.certificate).unwrap();
        fs::copy(&other.key, &self.key).unwrap();
    }
}

fn common_name(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject
}

fn new_file(directory: &Path, ending: &str) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    directory.join(format!("{}.{ending}", NUMBER.fetch_add(1, Ordering::Relaxed)))
}
