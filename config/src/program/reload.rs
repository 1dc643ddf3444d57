//! Reading the configuration anew while the program runs. A new one replaces the old as a whole,
//! or, if anything is wrong with it, not at all. What of it takes effect without a restart is one
//! list here; the parts of the program follow [`Current`].

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;
use toml::{Table, Value};

use super::confinement::{Confinement, NotConfined};
use super::environment;
use super::logging::{self, Logging};
use super::reach::Reach;
use crate::{Config, load, secret_files};

/// What a program has to say against a configuration.
pub(super) type Check = Box<dyn Fn(&Config) -> Result<(), String> + Send + Sync>;

/// Settings that a reload changes; any other one is as it was at the start until a restart.
const AT_ONCE: &[&str] = &[
    "admin.certificate",
    "admin.key",
    "admin.requests_per_second",
    "admin.token_seconds",
    "audit.retention_days",
    "ftp.active_port",
    "ftp.banner",
    "ftp.client_certificate",
    "ftp.implicit_tls_client_certificate",
    "ftp.public_address",
    "ftp.public_address_overrides",
    "hosts",
    "limits.ban_seconds",
    "limits.data_seconds",
    "limits.idle_seconds",
    "limits.login_failures",
    "limits.login_failures_per_session",
    "limits.login_seconds",
    "limits.max_sessions",
    "limits.max_sessions_per_address",
    "limits.stalled_seconds",
    "log.level",
    "mftp.client_certificate",
    "mftp.disabled_commands",
    "proxy.trusted",
    "shutdown.grace_seconds",
    "tls.allow_ccc",
    "tls.certificate",
    "tls.client_ca",
    "tls.control",
    "tls.data",
    "tls.data_binding",
    "tls.data_binding_overrides",
    "tls.key",
    "tls.tolerate_missing_close_notify",
];

/// The configuration as last read.
#[derive(Clone, Debug)]
pub struct Current(watch::Receiver<Arc<Config>>);

impl Current {
    /// The configuration now; `changed` then waits for another.
    pub fn get(&mut self) -> Arc<Config> {
        Arc::clone(&self.0.borrow_and_update())
    }

    /// Waits until there is another one than was got last.
    pub async fn changed(&mut self) -> Arc<Config> {
        if self.0.changed().await.is_err() {
            // Nobody is left who could read another.
            std::future::pending::<()>().await;
        }
        self.get()
    }
}

impl From<Config> for Current {
    /// One that stays as it is.
    fn from(config: Config) -> Self {
        Self(watch::Sender::new(Arc::new(config)).subscribe())
    }
}

/// Reads the configuration as the start did, and hands it on.
pub(super) struct Reloader {
    file: Option<PathBuf>,
    started_with: Config,
    check: Check,
    logging: Logging,
    confinement: Option<Confinement>,
    current: watch::Sender<Arc<Config>>,
}

impl Reloader {
    pub(super) fn new(file: Option<PathBuf>, config: Config, check: Check, logging: Logging) -> Self {
        let current = watch::Sender::new(Arc::new(config.clone()));
        Self { file, started_with: config, check, logging, confinement: None, current }
    }

    /// Holds the process to what it needs of the configuration, and to what is read again at a reload.
    pub(super) fn confine(&mut self, reach: fn(&Config) -> Reach) -> Result<(), NotConfined> {
        let mut own: Vec<PathBuf> = secret_files(environment()).collect();
        own.extend(self.file.clone());
        self.confinement = Confinement::begin(&self.started_with, reach, own)?;
        Ok(())
    }

    pub(super) fn current(&self) -> Current {
        Current(self.current.subscribe())
    }

    /// Puts what the file and the environment say now in the place of the old, if all is well.
    pub(super) fn reload(&self) {
        match self.read() {
            Ok(config) => {
                tracing::info!("the configuration was reloaded");
                let waiting = waiting_for_restart(&self.started_with, &config).join(", ");
                if !waiting.is_empty() {
                    tracing::warn!(
                        settings = waiting,
                        "changed settings that take effect after a restart only"
                    );
                }
                self.current.send_replace(Arc::new(config));
            }
            Err(reason) => {
                tracing::error!(reason, "the configuration can't be reloaded; the old one stays in use");
            }
        }
    }

    fn read(&self) -> Result<Config, String> {
        let config = load(self.file.as_deref(), environment()).map_err(|error| error.to_string())?;
        let filter = logging::filter(&config.log).map_err(|error| error.to_string())?;
        if let Some(confinement) = &self.confinement {
            confinement.check(&config)?;
        }
        (self.check)(&config)?;
        self.logging.set(filter)?;
        Ok(config)
    }
}

/// The settings that differ and aren't among those a reload changes.
fn waiting_for_restart(old: &Config, new: &Config) -> Vec<String> {
    // Neither can fail: the same type is shown at the start of every program.
    let (old, new) = (Table::try_from(old).unwrap_or_default(), Table::try_from(new).unwrap_or_default());
    let mut keys = Vec::new();
    collect_changed(&old, &new, "", &mut keys);
    keys.retain(|key| !AT_ONCE.contains(&key.as_str()));
    keys
}

fn collect_changed(old: &Table, new: &Table, section: &str, keys: &mut Vec<String>) {
    for (key, value) in new {
        match (old.get(key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => {
                collect_changed(old, new, &format!("{section}{key}."), keys);
            }
            (old, new) if old != Some(new) => keys.push(format!("{section}{key}")),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_settings_that_need_a_restart_are_named() {
        let old = Config::default();
        let mut new = old.clone();
        new.limits.max_sessions = 1;
        new.tls.certificate = "other.pem".into();
        assert!(waiting_for_restart(&old, &new).is_empty());
        new.ftp.listen.clear();
        new.data_dir = "elsewhere".into();
        assert_eq!(waiting_for_restart(&old, &new), ["data_dir", "ftp.listen"]);
    }

    #[test]
    fn every_setting_that_a_reload_changes_exists_and_the_page_says_so() {
        let page = include_str!("../../../docs/configuration.md");
        let known = Value::try_from(Config::default()).unwrap();
        for key in AT_ONCE {
            let value = key.split('.').try_fold(&known, |value, name| value.get(name));
            assert!(value.is_some(), "there is no {key}");
            assert!(
                page.contains(&format!("- `{key}`\n")),
                "docs/configuration.md doesn't say that {key} is reloaded"
            );
        }
        assert_eq!(page.matches("\n- `").count(), AT_ONCE.len(), "docs/configuration.md names others");
    }
}
