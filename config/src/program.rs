//! What every program does before it serves: the common arguments, the configuration, logging,
//! the signals that stop it or reload it, and the exit codes that tell an operator's script what
//! went wrong.

mod confinement;
mod logging;
mod reach;
mod reload;
mod sockets;
mod stopping;
mod supervisor;
mod watched;

use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::sync::watch;

use crate::{Config, load};

pub use reach::Reach;
pub use reload::Current;
pub use sockets::Sockets;
pub use supervisor::tell_ready;
pub use watched::{Files, Watched};

use logging::Logging;
use reload::Reloader;
use stopping::StopSignals;

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
    /// is what the program itself has to say against a configuration, starting nothing.
    pub fn start<E: Display>(
        &self,
        check: impl Fn(&Config) -> Result<(), E> + Send + Sync + 'static,
    ) -> Result<Program, ExitCode> {
        let config = load(self.config.as_deref(), environment()).map_err(|error| refuse(&error))?;
        let logging = Logging::start(&config.log).map_err(|error| refuse(&error))?;
        if self.check_config {
            check(&config).map_err(|error| refuse(&error))?;
            eprintln!("The configuration is good.");
            return Err(ExitCode::SUCCESS);
        }
        let check = Box::new(move |config: &Config| check(config).map_err(|error| error.to_string()));
        let reloader = Reloader::new(self.config.clone(), config, check, logging);
        Ok(Program { reloader, sockets: Sockets::default() })
    }
}

/// A program that knows its configuration and serves nobody yet.
pub struct Program {
    reloader: Reloader,
    sockets: Sockets,
}

impl Program {
    /// The configuration it was started with.
    pub fn config(&self) -> Arc<Config> {
        self.reloader.current().get()
    }

    /// Makes the process ready to serve: takes the sockets that systemd hands over, each of which must
    /// have one of these names, and holds the process to what `reach` says of its configuration, if that
    /// is wanted and to be had. Only threads started afterwards are held, so this comes before the
    /// runtime. `Err` carries the exit code where the program may not go on.
    pub fn prepare(&mut self, sockets: &[&str], reach: fn(&Config) -> Reach) -> Result<(), ExitCode> {
        self.sockets = Sockets::inherited(sockets).map_err(|error| {
            eprintln!("error: {error}");
            ExitCode::from(EXIT_BIND)
        })?;
        self.reloader.confine(reach).map_err(|error| refuse(&error))
    }

    /// Runs `serve` until it ends. The first signal to stop asks it to, which may take a while; a
    /// second one doesn't wait, and then the outcome is `None`. SIGHUP reads the configuration anew.
    pub async fn serve_until_stopped<R, F>(
        self,
        serve: impl FnOnce(Current, Stopped, Sockets) -> F,
    ) -> Option<R>
    where
        F: Future<Output = R>,
    {
        let (ask, asked) = watch::channel(false);
        let mut stop = StopSignals::listen();
        let signals = async {
            stop.next().await;
            supervisor::tell_stopping();
            ask.send_replace(true);
            stop.next().await;
            tracing::warn!("asked again: stopping at once");
        };
        let current = self.reloader.current();
        tokio::select! {
            result = serve(current, Stopped(asked), self.sockets) => Some(result),
            () = signals => None,
            () = reload_when_asked(&self.reloader) => None,
        }
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

/// SIGHUP, as often as it comes. Never ends.
async fn reload_when_asked(reloader: &Reloader) {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::hangup()) {
        Ok(mut hangups) => {
            while hangups.recv().await.is_some() {
                supervisor::tell_reloading();
                reloader.reload();
                supervisor::tell_ready();
            }
        }
        Err(error) => tracing::error!(%error, "SIGHUP can't be waited for"),
    }
    std::future::pending::<()>().await;
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
