//! The hosts this server is: a certificate for each, and the names in it. One is the default, for
//! who asks for none; a client asks by SNI, or in clear by its dialect's own words.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::SignatureScheme;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use wharfinger_config::Config;

use super::certificate::{self, CertificateError};
use super::names;

/// All hosts, the default one first.
#[derive(Debug)]
pub(crate) struct Hosts(Vec<Host>);

#[derive(Debug)]
struct Host {
    /// The certificate's file, and when it expires, in seconds since 1970.
    file: PathBuf,
    expiry: i64,
    names: Vec<String>,
    certified: Arc<CertifiedKey>,
    banner: String,
}

impl Hosts {
    pub(super) fn load(config: &Config) -> Result<Self, CertificateError> {
        let banner = &config.ftp.banner;
        let mut hosts = vec![Host::load(&config.certificate(), &config.key(), banner)?];
        for host in &config.hosts {
            let banner = if host.banner.is_empty() { banner } else { &host.banner };
            hosts.push(Host::load(&host.certificate, &host.key, banner)?);
        }
        Ok(Self(hosts))
    }

    /// Whether the server goes by this name. Where only one host is configured, every name that
    /// leads a client here is its name.
    pub(crate) fn know(&self, name: &str) -> bool {
        self.0.len() == 1 || self.0.iter().any(|host| host.has(name))
    }

    /// The certificates' files, and when each expires, in seconds since 1970.
    pub(crate) fn expiries(&self) -> impl Iterator<Item = (&Path, i64)> {
        self.0.iter().map(|host| (host.file.as_path(), host.expiry))
    }

    /// What greets a client who asked for this name, or for none.
    pub(crate) fn banner(&self, name: Option<&str>) -> &str {
        let named = name.and_then(|name| self.0.iter().find(|host| host.has(name)));
        named.or(self.0.first()).map_or("", |host| &host.banner)
    }

    /// The certificate for this name that the client can use; else any one it can use, the
    /// default one first: clients that ask for an unknown name say better what is wrong than an alert.
    fn choose(&self, name: Option<&str>, schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let usable = || self.0.iter().filter(|host| host.certified.key.choose_scheme(schemes).is_some());
        let named = name.and_then(|name| usable().find(|host| host.has(name)));
        named.or_else(|| usable().next()).map(|host| Arc::clone(&host.certified))
    }
}

impl Host {
    fn load(certificate: &Path, key: &Path, banner: &str) -> Result<Self, CertificateError> {
        let certified = certificate::load(certificate, key)?;
        let names = certified.cert.first().map(|first| names::of_server(first)).unwrap_or_default();
        // The one that expires first; those above it are in the file too.
        let expiry = certified.cert.iter().filter_map(|one| names::expiry(one)).min().unwrap_or_default();
        let (file, banner) = (certificate.to_owned(), banner.to_owned());
        Ok(Self { file, expiry, names, certified: Arc::new(certified), banner })
    }

    /// An asterisk stands for the first label, and for the whole of it (RFC 6125 §6.4.3).
    fn has(&self, name: &str) -> bool {
        let name = name.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let parent = name.split_once('.').map(|(_, parent)| parent);
        self.names.iter().any(|known| match known.strip_prefix("*.") {
            Some(domain) => parent == Some(domain),
            None => *known == name,
        })
    }
}

/// Chooses a session's certificate at its first handshake. The later ones, which are its data
/// connections', show the same, whatever they ask for.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) hosts: Arc<Hosts>,
    /// The host that was asked for in clear, for clients without SNI.
    pub(super) asked_for: Option<String>,
    pub(super) chosen: Arc<OnceLock<Arc<CertifiedKey>>>,
}

impl ResolvesServerCert for Choice {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if let Some(chosen) = self.chosen.get() {
            return Some(Arc::clone(chosen));
        }
        let name = hello.server_name().or(self.asked_for.as_deref());
        let chosen = self.hosts.choose(name, hello.signature_schemes())?;
        Some(Arc::clone(self.chosen.get_or_init(|| chosen)))
    }
}
