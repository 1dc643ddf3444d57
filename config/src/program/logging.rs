//! Where log lines go and which are written; the level can be changed while the program runs.

use std::io::IsTerminal as _;

use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

use crate::{ConfigError, Format, Log};

/// The running log.
pub(super) struct Logging {
    filter: reload::Handle<EnvFilter, Registry>,
}

impl Logging {
    /// Starts the log of this process; once.
    pub(super) fn start(log: &Log) -> Result<Self, ConfigError> {
        let (filter, handle) = reload::Layer::new(filter(log)?);
        let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
        let lines = match log.format {
            Format::Text => lines.with_target(false).boxed(),
            Format::Json => lines.json().flatten_event(true).boxed(),
        };
        tracing_subscriber::registry().with(filter).with(lines).init();
        Ok(Self { filter: handle })
    }

    /// Writes what this filter lets through, from now on.
    pub(super) fn set(&self, filter: EnvFilter) -> Result<(), String> {
        self.filter.reload(filter).map_err(|error| error.to_string())
    }
}

/// What `log.level` lets through, or what is wrong with it. rustls warns about clients whose
/// messages it reads past, lftp and Python among them, once a connection: that is for whoever asks
/// for what the libraries say.
pub(super) fn filter(log: &Log) -> Result<EnvFilter, ConfigError> {
    let mut wanted = log.level.split(',').map(|directive| directive.trim().to_ascii_lowercase());
    let quiet = if wanted.any(|level| level == "debug" || level == "trace") { "" } else { "rustls=error," };
    EnvFilter::try_new(format!("{quiet}{}", log.level))
        .map_err(|error| ConfigError::Invalid { origin: "log.level".to_owned(), reason: error.to_string() })
}
