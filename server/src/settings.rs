//! What a reload replaces, as one value: a session takes the value of its beginning and keeps it,
//! its certificate and ticket key included, so that a reload disturbs nobody. New ones come from
//! the configuration, and from the certificates' files, which are looked at every few seconds.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use tokio::time::MissedTickBehavior;
use wharfinger_config::Config;
use wharfinger_config::program::Current;

use crate::data::public_address::PublicAddress;
use crate::proxies::Proxies;
use crate::tls::Tls;
use crate::tls::certificate::CertificateError;

/// How often the certificates' files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// One state of all that can be replaced while the server runs.
pub(crate) struct Settings {
    pub(crate) config: Arc<Config>,
    pub(crate) tls: Tls,
    pub(crate) public_address: PublicAddress,
    pub(crate) proxies: Proxies,
    /// The certificates' files as they were just before they were read.
    files: Vec<Stamp>,
}

/// The settings that sessions begin with now.
pub(crate) struct LiveSettings(RwLock<Arc<Settings>>);

/// What tells one version of a file from another; none where there is no file.
type Stamp = Option<(SystemTime, u64, u64)>;

impl Settings {
    /// Reads the files that the configuration names.
    pub(crate) fn load(config: Arc<Config>) -> Result<Self, CertificateError> {
        let files = stamps(&Tls::files(&config));
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
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut used = settings.now().files.clone();
    let mut seen = used.clone();
    loop {
        tokio::select! {
            config = current.changed() => {
                settings.replace(config, "the configuration was reloaded");
                used.clone_from(&settings.now().files);
            }
            _ = looks.tick() => {
                let config = Arc::clone(&settings.now().config);
                let Some(found) = look(Tls::files(&config)).await else { continue };
                // Whoever writes certificate and key writes one after the other: only what has
                // been the same for a while is read, and what can't be used is tried once.
                if found != used && found == seen {
                    settings.replace(config, "a certificate's file was changed");
                    used.clone_from(&found);
                }
                seen = found;
            }
        }
    }
}

/// Off the async threads: the files may lie on a file system that is far away.
async fn look(paths: Vec<PathBuf>) -> Option<Vec<Stamp>> {
    tokio::task::spawn_blocking(move || stamps(&paths)).await.ok()
}

fn stamps(paths: &[PathBuf]) -> Vec<Stamp> {
    let stamp = |path: &PathBuf| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
    };
    paths.iter().map(stamp).collect()
}
