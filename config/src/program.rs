//! What every program does before it serves: the common arguments, the configuration, logging,
//! the signals that stop it, and the exit codes that tell an operator's script what went wrong.

use std::fmt::Display;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use crate::{Config, ConfigError, Format, Log, load};

/// Command line or configuration is wrong.
pub const EXIT_CONFIG: u8 = 2;
/// The store can't be used.
pub const EXIT_STORE: u8 = 3;
/// A listener's address can't be had.
pub const EXIT_BIND: u8 = 4;

/// Said at the end of every program's `--help`.
pub const HELP_TAIL: &str = "\
Every key of the configuration file can be set from the environment as well:
  [ftp] listen        WHARFINGER_FTP__LISTEN=127.0.0.1:2121,[::1]:2121
  data_dir            WHARFINGER_DATA_DIR=/srv/wharfinger
  any key from a file WHARFINGER_STORE__URL_FILE=/run/secrets/store-url

Exit codes: 0 stopped as asked, 1 other failure, 2 command line or
configuration, 3 store, 4 address in use or not allowed.";

/// The arguments that all programs take.
#[derive(Debug, clap::Args)]
pub struct Common {
    /// Read this configuration file (TOML); without it, defaults and environment hold
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Check the configuration, say what is wrong, start nothing
    #[arg(long, global = true)]
    pub check_config: bool,
}

impl Common {
    /// Loads the configuration, starts logging, and says whether to go on: `Err` carries the
    /// exit code where the program ends here (bad configuration, or `--check-config`). `check`
    /// is what the program itself has to say against the configuration, starting nothing.
    pub fn start<E: Display>(
        &self,
        check: impl FnOnce(&Config) -> Result<(), E>,
    ) -> Result<Config, ExitCode> {
        let config = match load(self.config.as_deref(), environment()) {
            Ok(config) => config,
            Err(error) => return Err(refuse(&error)),
        };
        if let Err(error) = start_logging(&config.log) {
            return Err(refuse(&error));
        }
        if self.check_config {
            check(&config).map_err(|error| refuse(&error))?;
            eprintln!("The configuration is good.");
            return Err(ExitCode::SUCCESS);
        }
        Ok(config)
    }
}

/// Tells the parts of a program that it has been asked to stop.
#[derive(Clone, Debug)]
pub struct Stopped(watch::Receiver<bool>);

impl Stopped {
    /// Waits until the program is asked to stop.
    pub async fn asked(mut self) {
        // The sender goes only with the program.
        let _ = self.0.wait_for(|asked| *asked).await;
    }
}

/// Runs `serve` until it ends. The first signal asks it to stop, which may take a while; a
/// second one doesn't wait, and then the outcome is `None`.
pub async fn serve_until_stopped<R, F>(serve: impl FnOnce(Stopped) -> F) -> Option<R>
where
    F: Future<Output = R>,
{
    let (ask, asked) = watch::channel(false);
    let signals = async {
        stop_signal().await;
        ask.send_replace(true);
        stop_signal().await;
        tracing::warn!("asked again: stopping at once");
    };
    tokio::select! {
        result = serve(Stopped(asked)) => Some(result),
        () = signals => None,
        () = ignore_reloads() => None,
    }
}

/// SIGHUP would end the program where nobody minds it. Never ends.
async fn ignore_reloads() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::hangup()) {
        Ok(mut hangups) => {
            while hangups.recv().await.is_some() {
                tracing::warn!("SIGHUP: nothing is reloaded; restart to use a changed configuration");
            }
        }
        Err(error) => tracing::error!(%error, "SIGHUP can't be waited for"),
    }
    std::future::pending::<()>().await;
}

/// Ends when the program is asked to stop: SIGTERM, or Ctrl-C.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut stream) => stream.recv().await,
            Err(error) => {
                tracing::error!(%error, "SIGTERM can't be waited for");
                std::future::pending().await
            }
        }
    };
    tokio::select! {
        _ = terminated => tracing::info!("SIGTERM: stopping"),
        _ = tokio::signal::ctrl_c() => tracing::info!("interrupted: stopping"),
    }
}

/// Settings from the process's environment; a variable that isn't UTF-8 can't be one of ours.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn refuse(error: &impl Display) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(EXIT_CONFIG)
}

fn start_logging(log: &Log) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(&log.level).map_err(|error| ConfigError::Invalid {
        origin: "log.level".to_owned(),
        reason: error.to_string(),
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match log.format {
        Format::Text => builder.with_target(false).init(),
        Format::Json => builder.json().flatten_event(true).init(),
    }
    Ok(())
}
