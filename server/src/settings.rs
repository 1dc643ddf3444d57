//! What a reload replaces, as one value: a session takes the value of its beginning and keeps it,
//! its certificate and ticket key included, so that a reload disturbs nobody. New ones come from
//! the configuration, and from the certificates' files, which are watched.

use std::sync::{Arc, PoisonError, RwLock};

use wharfinger_config::Config;
use wharfinger_config::program::{Current, Files, Watched};

use crate::data::public_address::PublicAddress;
use crate::proxies::Proxies;
use crate::tls::Tls;
use crate::tls::certificate::CertificateError;

/// One state of all that can be replaced while the server runs.
pub(crate) struct Settings {
    pub(crate) config: Arc<Config>,
    pub(crate) tls: Tls,
    pub(crate) public_address: PublicAddress,
    pub(crate) proxies: Proxies,
    /// The certificates' files as they were just before they were read.
    files: Files,
}

/// The settings that sessions begin with now.
pub(crate) struct LiveSettings(RwLock<Arc<Settings>>);

impl Settings {
    /// Reads the files that the configuration names.
    pub(crate) fn load(config: Arc<Config>) -> Result<Self, CertificateError> {
        let files = Files::look(Tls::files(&config));
        let tls = Tls::load(&config)?;
        let public_address =
            PublicAddress::new(&config.ftp.public_address, &config.ftp.public_address_overrides);
        let proxies = Proxies::new(&config.proxy.trusted);
        Ok(Self { config, tls, public_address, proxies, files })
    }
}

impl LiveSettings {
    pub(crate) fn new(settings: Settings) -> Self {
        Self(RwLock::new(Arc::new(settings)))
    }

    /// For a session that begins.
    pub(crate) fn now(&self) -> Arc<Settings> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sessions that begin from now on get what this configuration says, if all of it can be had.
    fn replace(&self, config: Arc<Config>, reason: &'static str) {
        match Settings::load(config) {
            Ok(settings) => {
                *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
                tracing::info!(reason, "new sessions use new settings");
            }
            Err(error) => {
                tracing::error!(reason, %error, "the new settings can't be used; the old ones stay in use");
            }
        }
    }
}

/// Replaces the settings whenever the configuration is reloaded or a certificate is replaced on
/// the disk. Never ends.
pub(crate) async fn follow(settings: &LiveSettings, mut current: Current) {
    let mut watched = Watched::new(settings.now().files.clone());
    loop {
        tokio::select! {
            config = current.changed() => {
                settings.replace(config, "the configuration was reloaded");
                watched = Watched::new(settings.now().files.clone());
            }
            () = watched.changed() => {
                let config = Arc::clone(&settings.now().config);
                settings.replace(config, "a certificate's file was changed");
            }
        }
    }
}
