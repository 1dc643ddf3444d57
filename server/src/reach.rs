//! What the file server needs of the file system: files and store, certificates, and what
//! `ftp.public_address` is found with.

use std::net::Ipv4Addr;
use std::path::Path;

use wharfinger_config::program::Reach;
use wharfinger_config::{Clients, Config};

use crate::makes_certificate;
use crate::storage::local::DIRECTORY_MODE;
use crate::tls::Tls;

/// What a server with this configuration needs.
pub(crate) fn reach(config: &Config) -> Reach {
    let mut reach = wharfinger_accounts::reach(config).writes(&config.storage_root(), DIRECTORY_MODE);
    if config.anonymous.enabled {
        reach = reach.writes(&config.anonymous_root(), DIRECTORY_MODE);
    }
    if makes_certificate(config) {
        for file in [config.certificate(), config.key()] {
            reach = reach.writes(file.parent().unwrap_or(Path::new("/")), 0o700);
        }
    }
    let address = &config.ftp.public_address;
    if !address.is_empty() && address.parse::<Ipv4Addr>().is_err() {
        reach = reach.looks_up_names();
    }
    if config.ftp.public_address_overrides.iter().any(|one| one.clients == Clients::Gateway) {
        reach = reach.reads("/proc/net");
    }
    reach.files(Tls::files(config))
}
